package dev.larder.install;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class HooksTest {
    private static final String CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/";
    private static final String SECRETS = "/api/v1/namespaces/larder-system/secrets";

    @TempDir
    Path directory;

    private FakeApiServer server;
    private ApiServer api;

    @BeforeEach
    void start() throws IOException {
        server = new FakeApiServer();
        api = server.client();
    }

    @AfterEach
    void stop() {
        api.close();
        server.close();
    }

    private void secret() {
        PostgresSecretMain.ensure(api, "larder-system", "larder-postgres", new SecureRandom());
    }

    @Test
    void kindsAreAppliedByteForByte() throws IOException {
        Files.writeString(directory.resolve("a.larder.dev.yaml"), "kind: A\n");
        Files.writeString(directory.resolve("b.larder.dev.yaml"), "kind: B\n");
        Files.writeString(directory.resolve("README"), "no kind");
        CrdsMain.apply(api, directory);
        assertEquals(
                "kind: A\n",
                server.objects.get(CRDS + "a.larder.dev").path("applied").asText());
        assertEquals(
                "kind: B\n",
                server.objects.get(CRDS + "b.larder.dev").path("applied").asText());
        assertEquals(2, server.objects.size());
    }

    @Test
    void aServerThatStartsIsWaitedFor() throws IOException {
        Files.writeString(directory.resolve("a.larder.dev.yaml"), "kind: A\n");
        server.unavailable.set(2);
        CrdsMain.apply(api, directory);
        assertEquals("PATCH " + CRDS + "a.larder.dev", server.requests.get(2));
    }

    @Test
    void noKindsIsAnError() {
        InstallException e = assertThrows(InstallException.class, () -> CrdsMain.apply(api, directory));
        assertTrue(e.getMessage().contains("no *.yaml in " + directory), e.getMessage());
    }

    @Test
    void thePasswordIsMadeOnce() {
        secret();
        JsonNode made = server.objects.get(SECRETS + "/larder-postgres");
        String password = made.path("stringData").path("password").asText();
        assertTrue(password.matches("[A-Za-z0-9_-]{32}"), password);
        assertEquals("larder", made.path("stringData").path("username").asText());
        secret();
        assertEquals(made, server.objects.get(SECRETS + "/larder-postgres"), "an upgrade keeps it");
        server.objects.clear();
        secret();
        assertNotEquals(made, server.objects.get(SECRETS + "/larder-postgres"), "it is random");
    }

    @Test
    void aRefusalNamesWhatWasAsked() {
        ApiServer.Refusal e = assertThrows(ApiServer.Refusal.class, () -> api.get("/api/v1/absent"));
        assertEquals("the API server refuses GET /api/v1/absent: 404 not found", e.getMessage());
    }

    private void cluster(String phase) {
        server.objects.put("/api/v1/persistentvolumes", FakeApiServer.json("""
                [{'spec':{'csi':{'driver':'other'},'claimRef':{'namespace':'a','name':'theirs'}}},
                 {'spec':{'hostPath':{}}},
                 {'spec':{'csi':{'driver':'csi.larder.dev'},'claimRef':{'namespace':'a','name':'ours'}}},
                 {'spec':{'csi':{'driver':'csi.larder.dev'},'claimRef':{'namespace':'a','name':'pod-scratch'}}}]"""));
        server.objects.put("/api/v1/pods", FakeApiServer.json("""
                [{'metadata':{'namespace':'a','name':'x'},'spec':{'nodeName':'n','volumes':[
                   {'persistentVolumeClaim':{'claimName':'theirs'}},{'emptyDir':{}}]},'status':{'phase':'Running'}},
                 {'metadata':{'namespace':'b','name':'y'},'spec':{'nodeName':'n','volumes':[
                   {'persistentVolumeClaim':{'claimName':'ours'}}]},'status':{'phase':'Running'}},
                 {'metadata':{'namespace':'a','name':'waiting'},'spec':{'volumes':[
                   {'persistentVolumeClaim':{'claimName':'ours'}}]},'status':{'phase':'Pending'}},
                 {'metadata':{'namespace':'a','name':'trainer'},'spec':{'nodeName':'n','volumes':[
                   {'persistentVolumeClaim':{'claimName':'ours'}}]},'status':{'phase':'PHASE'}},
                 {'metadata':{'namespace':'a','name':'pod'},'spec':{'nodeName':'n','volumes':[
                   {'name':'scratch','ephemeral':{}}]},'status':{'phase':'PHASE'}}]""".replace("PHASE", phase)));
    }

    @Test
    void anUninstallIsRefusedWhileAPodUsesAVolume() {
        cluster("Running");
        InstallException e = assertThrows(InstallException.class, () -> PreDeleteMain.refuseWhileMounted(api));
        assertTrue(e.getMessage().contains("2 pods use volumes of Larder: a/pod, a/trainer. Try:"), e.getMessage());
        cluster("Succeeded");
        assertDoesNotThrow(() -> PreDeleteMain.refuseWhileMounted(api));
    }

    @Test
    void flagsAreChecked() {
        Map<String, String> known = Map.of("name", "NAME");
        assertEquals("x", Flags.parse("p", List.of("--name=x"), known).get("name"));
        for (List<String> wrong : List.of(List.of("--colour=red"), List.of("name=x"), List.<String>of())) {
            InstallException e = assertThrows(InstallException.class, () -> Flags.parse("p", wrong, known));
            assertTrue(e.getMessage().endsWith("Arguments: --name=NAME"), e.getMessage());
        }
    }
}
