package dev.larder.volume.metadata;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** Extents as parameters (an array a column) and as rows. */
final class ExtentRows {
    private ExtentRows() {}

    /** off, len, kind, content, skip, segment, frames, data, from a column on. */
    static Extent extent(ResultSet row, int first) throws SQLException {
        return new Extent(
                row.getLong(first),
                row.getLong(first + 1),
                ExtentKind.of(row.getInt(first + 2)),
                row.getObject(first + 3, UUID.class),
                row.getLong(first + 4),
                row.getObject(first + 5, UUID.class),
                row.getBytes(first + 6),
                row.getBytes(first + 7));
    }

    /** off, len, kind, content, skip, segment. */
    static void addPlaces(Parameters parameters, List<Extent> extents) throws SQLException {
        parameters
                .addArray("int8", extents.stream().map(Extent::offset).toArray(Long[]::new))
                .addArray("int8", extents.stream().map(Extent::length).toArray(Long[]::new));
        addContents(parameters, extents);
    }

    /** kind, content, skip, segment. */
    static void addContents(Parameters parameters, List<Extent> extents) throws SQLException {
        parameters
                .addArray(
                        "int2",
                        extents.stream().map(e -> (short) e.kind().code()).toArray(Short[]::new))
                .addArray("uuid", extents.stream().map(Extent::content).toArray(UUID[]::new))
                .addArray("int8", extents.stream().map(Extent::skip).toArray(Long[]::new))
                .addArray("uuid", extents.stream().map(Extent::segment).toArray(UUID[]::new));
    }

    static void addFrames(Parameters parameters, List<Extent> extents) throws SQLException {
        parameters.addArray("bytea", extents.stream().map(Extent::frames).toArray(byte[][]::new));
    }

    static void addData(Parameters parameters, List<Extent> extents) throws SQLException {
        parameters.addArray("bytea", extents.stream().map(Extent::data).toArray(byte[][]::new));
    }

    /** The segments that these extents name, and how many bytes of each object are known to be there. */
    static void addSegments(Parameters parameters, List<Extent> extents) throws SQLException {
        Map<UUID, Long> bytes = new LinkedHashMap<>();
        for (Extent extent : extents) {
            if (extent.kind() == ExtentKind.SEGMENT) {
                bytes.merge(extent.segment(), storedEnd(extent.frames()), Math::max);
            }
        }
        parameters
                .addArray("uuid", bytes.keySet().toArray(UUID[]::new))
                .addArray("int8", bytes.values().toArray(Long[]::new));
    }

    private static long storedEnd(byte[] encodedFrames) {
        FrameTable frames = FrameTable.decode(encodedFrames);
        long end = 0;
        for (int frame = 0; frame < frames.count(); frame++) {
            end = Math.max(end, frames.storedOffset(frame) + frames.storedLength(frame));
        }
        return end;
    }
}
