package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

const connectTimeout = 5 * time.Second

// forward lets programs on the machine reach a server inside a network namespace that has no link to the machine.
func forward(listen, netns, target string) error {
	listener, err := net.Listen("tcp4", listen)
	if err != nil {
		return err
	}
	for {
		client, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			if err := serve(client, "/run/netns/"+netns, target); err != nil {
				log.Print(err)
			}
		}()
	}
}

func serve(client net.Conn, netns, target string) error {
	defer client.Close()
	server, err := dialIn(netns, target)
	if err != nil {
		return fmt.Errorf("connect to %s in %s: %w", target, netns, err)
	}
	defer server.Close()
	go func() {
		io.Copy(server, client)
		server.(*net.TCPConn).CloseWrite()
	}()
	_, err = io.Copy(client, server)
	return err
}

// dialIn connects from a thread that has joined the network namespace. The thread stays locked to its goroutine and so
// ends with it: no other goroutine ever runs in that namespace.
func dialIn(netns, target string) (net.Conn, error) {
	type result struct {
		connection net.Conn
		err        error
	}
	results := make(chan result, 1)
	go func() {
		runtime.LockOSThread()
		connection, err := func() (net.Conn, error) {
			namespace, err := os.Open(netns)
			if err != nil {
				return nil, err
			}
			defer namespace.Close()
			if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET); err != nil {
				return nil, err
			}
			return net.DialTimeout("tcp4", target, connectTimeout)
		}()
		results <- result{connection, err}
	}()
	r := <-results
	return r.connection, r.err
}
