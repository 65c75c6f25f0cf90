package main

import (
	"archive/tar"
	"debug/elf"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// layer writes the files of an image; every path once, its parents first, times zero. The first error ends the work and
// comes out of close.
type layer struct {
	writer *tar.Writer
	seen   map[string]bool
	err    error
}

func newLayer(out io.Writer) *layer {
	return &layer{writer: tar.NewWriter(out), seen: map[string]bool{}}
}

func (l *layer) close() error {
	if l.err != nil {
		return l.err
	}
	return l.writer.Close()
}

// skeleton adds the directories and the two users that programs expect everywhere.
func (l *layer) skeleton() {
	for _, directory := range []string{"bin", "dev", "etc", "proc", "run", "sys", "var"} {
		l.add(&tar.Header{Name: directory, Typeflag: tar.TypeDir, Mode: 0o755}, nil)
	}
	l.add(&tar.Header{Name: "tmp", Typeflag: tar.TypeDir, Mode: 0o1777}, nil)
	l.text("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")
	l.text("etc/group", "root:x:0:\nnogroup:x:65534:\n")
	l.text("etc/nsswitch.conf", "hosts: files dns\n")
}

// busybox adds the dynamic busybox: a static one of glibc cannot resolve names without the very libraries it left out.
func (l *layer) busybox() {
	program, err := exec.LookPath("busybox")
	if err != nil {
		l.fail(fmt.Errorf("%w; install the Debian package busybox", err))
		return
	}
	l.put(program, "bin/busybox")
	applets, err := exec.Command(program, "--list").Output()
	if err != nil {
		l.fail(err)
		return
	}
	for _, applet := range strings.Fields(string(applets)) {
		l.add(&tar.Header{Name: "bin/" + applet, Typeflag: tar.TypeSymlink, Linkname: "busybox", Mode: 0o777}, nil)
	}
}

func (l *layer) text(name, content string) {
	l.add(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}, strings.NewReader(content))
}

// put adds a file with the libraries it is linked to, or a directory with all that is in it; links are followed.
func (l *layer) put(source, destination string) {
	info, err := os.Stat(source)
	if err != nil {
		l.fail(err)
		return
	}
	if info.IsDir() {
		entries, err := os.ReadDir(source)
		l.fail(err)
		for _, entry := range entries {
			l.put(filepath.Join(source, entry.Name()), path.Join(destination, entry.Name()))
		}
		return
	}
	file, err := os.Open(source)
	if err != nil {
		l.fail(err)
		return
	}
	defer file.Close()
	l.add(&tar.Header{Name: destination, Mode: int64(info.Mode().Perm()), Size: info.Size()}, file)
	for _, library := range libraries(source) {
		l.put(library, library)
	}
}

func (l *layer) add(header *tar.Header, content io.Reader) {
	header.Name = strings.Trim(path.Clean(header.Name), "/")
	if l.err != nil || l.seen[header.Name] {
		return
	}
	if parent := path.Dir(header.Name); parent != "." {
		l.add(&tar.Header{Name: parent, Typeflag: tar.TypeDir, Mode: 0o755}, nil)
	}
	l.seen[header.Name] = true
	l.fail(l.writer.WriteHeader(header))
	if content != nil && l.err == nil {
		_, err := io.Copy(l.writer, content)
		l.fail(err)
	}
}

func (l *layer) fail(err error) {
	if l.err == nil {
		l.err = err
	}
}

var libraryPath = regexp.MustCompile(`(/\S+\.so\S*)`)

// libraries lists what the dynamic loader would load for a program; nothing for what is static or no program.
func libraries(file string) []string {
	program, err := elf.Open(file)
	if err != nil {
		return nil
	}
	defer program.Close()
	if needed, err := program.ImportedLibraries(); err != nil || len(needed) == 0 {
		return nil
	}
	out, err := exec.Command("ldd", file).Output()
	if err != nil {
		return nil
	}
	return libraryPath.FindAllString(string(out), -1)
}
