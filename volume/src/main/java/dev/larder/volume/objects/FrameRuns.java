package dev.larder.volume.objects;

import dev.larder.volume.metadata.FrameTable;
import java.util.ArrayList;
import java.util.List;

/** Which frames of a content a read needs, neighbours in the object joined into one GET. Pure. */
final class FrameRuns {
    /** A frame, judged: its numbers come from a database and are not believed unseen. */
    record Frame(int number, long contentOffset, int length, long storedOffset, int storedLength, int crc32c) {
        boolean plain() {
            return storedLength == length;
        }

        long contentEnd() {
            return contentOffset + length;
        }
    }

    /** Frames that lie one after the other in the object. */
    record Run(List<Frame> frames) {
        long offset() {
            return frames.getFirst().storedOffset();
        }

        long length() {
            return frames.getLast().storedOffset() + frames.getLast().storedLength() - offset();
        }

        boolean plain() {
            return frames.stream().allMatch(Frame::plain);
        }
    }

    private FrameRuns() {}

    /** The frames that overlap [from, to) of the content. */
    static List<Frame> overlapping(FrameTable table, long from, long to) throws CorruptContentException {
        List<Frame> frames = new ArrayList<>();
        long at = 0;
        for (int number = 0; number < table.count() && at < to; number++) {
            Frame frame = judged(table, number, at);
            if (frame.contentEnd() > from) {
                frames.add(frame);
            }
            at = frame.contentEnd();
        }
        if (at < to) {
            throw new CorruptContentException(
                    "a frame table covers " + at + " bytes of a content of which " + to + " are in use");
        }
        return frames;
    }

    static List<Run> joined(List<Frame> frames, int maxBytes) {
        List<Run> runs = new ArrayList<>();
        List<Frame> run = new ArrayList<>();
        for (Frame frame : frames) {
            if (!run.isEmpty() && !continues(run, frame, maxBytes)) {
                runs.add(new Run(List.copyOf(run)));
                run.clear();
            }
            run.add(frame);
        }
        if (!run.isEmpty()) {
            runs.add(new Run(List.copyOf(run)));
        }
        return runs;
    }

    private static boolean continues(List<Frame> run, Frame frame, int maxBytes) {
        Frame last = run.getLast();
        return last.storedOffset() + last.storedLength() == frame.storedOffset()
                && frame.storedOffset() + frame.storedLength() - run.getFirst().storedOffset() <= maxBytes;
    }

    private static Frame judged(FrameTable table, int number, long contentOffset) throws CorruptContentException {
        Frame frame = new Frame(
                number,
                contentOffset,
                table.length(number),
                table.storedOffset(number),
                table.storedLength(number),
                table.crc32c(number));
        boolean possible = frame.length > 0
                && frame.length <= FrameTable.MAX_FRAME_BYTES
                && frame.storedLength > 0
                && frame.storedLength <= frame.length
                && frame.storedOffset >= 0
                && frame.storedOffset <= Long.MAX_VALUE - frame.storedLength
                && (frame.plain() || table.codec() == FrameTable.CODEC_ZSTD);
        if (!possible) {
            throw new CorruptContentException("frame table entry " + number + " is impossible: " + frame);
        }
        return frame;
    }
}
