package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// list is a flag that may be repeated.
type list []string

func (s *list) String() string     { return strings.Join(*s, " ") }
func (s *list) Set(v string) error { *s = append(*s, v); return nil }

// image writes a one-layer image from files of this machine, the same bytes for the same files: no container engine and no
// registry takes part. containerd ("ctr images import") and Docker ("docker load") read it.
func image(arguments []string) error {
	flags := flag.NewFlagSet("bed image", flag.ExitOnError)
	name := flags.String("name", "", "name and tag, such as larder.local/busybox:dev")
	out := flags.String("out", "", "file to write")
	busybox := flags.Bool("busybox", false, "add the machine's busybox, its applets and its libraries")
	var adds, entrypoint list
	flags.Var(&adds, "add", "SOURCE:DESTINATION, a file or a directory; may be repeated")
	flags.Var(&entrypoint, "entrypoint", "one word of the command; may be repeated")
	flags.Parse(arguments)
	if *name == "" || *out == "" || len(entrypoint) == 0 || flags.NArg() > 0 {
		return fmt.Errorf("--name, --out and --entrypoint are needed, and nothing but flags; see bed image --help")
	}

	file, err := os.Create(*out + ".layer")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	digest := sha256.New()
	layer := newLayer(io.MultiWriter(file, digest))
	layer.skeleton()
	if *busybox {
		layer.busybox()
	}
	for _, add := range adds {
		source, destination, found := strings.Cut(add, ":")
		if !found {
			return fmt.Errorf("--add %s: not SOURCE:DESTINATION", add)
		}
		layer.put(source, destination)
	}
	if err := layer.close(); err != nil {
		return err
	}
	return writeArchive(*out, *name, entrypoint, file, hex.EncodeToString(digest.Sum(nil)))
}

// writeArchive writes config, layer and manifest, and puts the finished file in place by rename.
func writeArchive(out, name string, entrypoint []string, layer *os.File, digest string) error {
	config, err := json.Marshal(map[string]any{
		"architecture": "amd64",
		"os":           "linux",
		"rootfs":       map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + digest}},
		"config": map[string]any{
			"Env":        []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"},
			"Entrypoint": entrypoint,
			"WorkingDir": "/",
		},
	})
	if err != nil {
		return err
	}
	sum := sha256.Sum256(config)
	configName := hex.EncodeToString(sum[:]) + ".json"
	manifest, err := json.Marshal([]map[string]any{
		{"Config": configName, "RepoTags": []string{name}, "Layers": []string{"layer.tar"}},
	})
	if err != nil {
		return err
	}
	size, err := layer.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if _, err := layer.Seek(0, io.SeekStart); err != nil {
		return err
	}

	archive, err := os.Create(out + ".part")
	if err != nil {
		return err
	}
	defer archive.Close()
	writer := tar.NewWriter(archive)
	for _, entry := range []struct {
		name    string
		size    int64
		content io.Reader
	}{
		{configName, int64(len(config)), bytes.NewReader(config)},
		{"layer.tar", size, layer},
		{"manifest.json", int64(len(manifest)), bytes.NewReader(manifest)},
	} {
		if err := writer.WriteHeader(&tar.Header{Name: entry.name, Size: entry.size, Mode: 0o644}); err != nil {
			return err
		}
		if _, err := io.Copy(writer, entry.content); err != nil {
			return err
		}
	}
	if err := writer.Close(); err != nil {
		return err
	}
	fmt.Printf("%s: %d MiB in %s\n", name, size>>20, filepath.Base(out))
	return os.Rename(archive.Name(), out)
}
