package dev.larder.csi.controller;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.larder.csi.Flags;
import dev.larder.csi.Service;
import java.util.List;
import org.junit.jupiter.api.Test;

class CsiControllerOptionsTest {
    @Test
    void everyFlagHasItsEnvironmentVariable() {
        assertEquals(
                List.of("--namespace", "--csi-address", "--health-port"), Flags.checked(new CsiControllerOptions()));
    }

    @Test
    void wrongFlagsAreRefused() {
        assertEquals(Service.WRONG_FLAG, CsiControllerMain.run());
        assertEquals(Service.WRONG_FLAG, CsiControllerMain.run("--namespace=larder", "--csi-address=relative"));
        assertEquals(Service.OK, CsiControllerMain.run("--help"));
    }
}
