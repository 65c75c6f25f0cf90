package dev.larder.protocol.custody;

import com.fasterxml.jackson.annotation.JsonEnumDefaultValue;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.larder.protocol.ControlProtocol;
import java.io.IOException;
import java.util.UUID;

/**
 * One message, JSON. Unknown members and kinds are ignored, so that versions N and N-1 understand each other.
 *
 * @param volume that it is about; null = none
 * @param negotiated the mount's INIT record ({@code dev.larder.linux.fuse.Negotiated}); null = not needed
 * @param serving the sender of a HELD serves it
 * @param refusal of a REFUSED: what those who asked must know of its cause; null = that it has one
 * @param text for people: who says hello, why something was refused
 */
@JsonInclude(JsonInclude.Include.NON_DEFAULT)
public record CustodyMessage(Kind kind, UUID volume, byte[] negotiated, boolean serving, Refusal refusal, String text) {
    private static final ObjectMapper JSON =
            ControlProtocol.json().copy().enable(DeserializationFeature.READ_UNKNOWN_ENUM_VALUES_USING_DEFAULT_VALUE);

    /** Who sends it, and what it asks for. */
    public enum Kind {
        /** Agent, first on a connection: {@code text} names it. A HELD for each mount follows, then READY. */
        HELLO,
        /** Agent: it holds this descriptor. Comes with it after HELLO; without, it acknowledges a HOLD. */
        HELD,
        /** Agent: it has said what it holds; it can serve. */
        READY,
        /** Keeper, with the descriptor and its INIT record: hold it, do not serve it. */
        HOLD,
        /** Keeper: take this mount over and serve it. The record directory says how. */
        SERVE,
        /** Agent: requests are answered from now on. */
        SERVING,
        /** Agent: it could not serve; {@code text} says why. */
        REFUSED,
        /** Keeper: answer what has been read, read no more, keep the descriptor. */
        RELEASE,
        /** Agent: it serves this mount no longer, and the state that a successor needs is on disk. */
        RELEASED,
        /** Keeper: the mount has ended; end its session and close the descriptor. */
        DROP,
        /** Agent: the mount is forgotten; {@code text}: what could not be ended well, or null. */
        DROPPED,
        /** Agent: it is asked to end, and does so when others hold and serve what it has. */
        YIELD,
        /** Keeper: nothing depends on the agent any more. */
        RELIEVED,
        /** Of a later version. */
        @JsonEnumDefaultValue
        UNKNOWN
    }

    /** Why a mount cannot be served, as far as it matters to a program. */
    public enum Refusal {
        /** Another node has the volume to itself, or uses it while this one wants it to itself. */
        HELD_ELSEWHERE,
        /** Anything else, or of a later version. */
        @JsonEnumDefaultValue
        OTHER
    }

    public static CustodyMessage of(Kind kind, UUID volume) {
        return of(kind, volume, null);
    }

    public static CustodyMessage of(Kind kind, UUID volume, String text) {
        return new CustodyMessage(kind, volume, null, false, null, text);
    }

    public static CustodyMessage refused(UUID volume, Refusal refusal, String text) {
        return new CustodyMessage(Kind.REFUSED, volume, null, false, refusal, text);
    }

    byte[] encode() {
        try {
            return JSON.writeValueAsBytes(this);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    static CustodyMessage decode(byte[] bytes) throws IOException {
        CustodyMessage message = JSON.readValue(bytes, CustodyMessage.class);
        return message.kind == null ? of(Kind.UNKNOWN, message.volume) : message;
    }
}
