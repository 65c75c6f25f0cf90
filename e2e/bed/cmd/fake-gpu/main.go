// fake-gpu is a device plugin that advertises devices which do not exist, so that a node schedules like one with GPUs:
// kubelet counts and allocates them, and a container that asks for one gets the variable NVIDIA_VISIBLE_DEVICES.
//
// kubelet removes the sockets of all plugins when it starts. The plugin then ends, and whoever keeps it running starts it
// anew, which registers it again.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	api "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

const (
	endpoint        = "fake-gpu.sock"
	socket          = api.DevicePluginPath + endpoint
	registerTimeout = 10 * time.Second
	checkInterval   = time.Second
)

func main() {
	resource := flag.String("resource", "nvidia.com/gpu", "name of the extended resource")
	count := flag.Int("count", 1, "number of devices")
	flag.Parse()
	log.Fatal(serve(*resource, *count))
}

// serve returns when kubelet has forgotten the plugin.
func serve(resource string, count int) error {
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	defer server.Stop()
	api.RegisterDevicePluginServer(server, plugin{count: count})
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	if err := register(resource); err != nil {
		return err
	}
	log.Printf("registered %d of %s", count, resource)
	for {
		select {
		case err := <-failed:
			return err
		case <-time.After(checkInterval):
			if _, err := os.Stat(socket); err != nil {
				return fmt.Errorf("kubelet has started anew: %w", err)
			}
		}
	}
}

func register(resource string) error {
	kubelet, err := grpc.NewClient("unix://"+api.KubeletSocket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer kubelet.Close()
	deadline, cancel := context.WithTimeout(context.Background(), registerTimeout)
	defer cancel()
	_, err = api.NewRegistrationClient(kubelet).Register(deadline, &api.RegisterRequest{
		Version:      api.Version,
		Endpoint:     endpoint,
		ResourceName: resource,
	})
	return err
}

type plugin struct {
	api.UnimplementedDevicePluginServer
	count int
}

func (plugin) GetDevicePluginOptions(context.Context, *api.Empty) (*api.DevicePluginOptions, error) {
	return &api.DevicePluginOptions{}, nil
}

// ListAndWatch names the devices once: they never change.
func (p plugin) ListAndWatch(_ *api.Empty, stream grpc.ServerStreamingServer[api.ListAndWatchResponse]) error {
	var devices []*api.Device
	for i := range p.count {
		devices = append(devices, &api.Device{ID: fmt.Sprintf("fake-%d", i), Health: api.Healthy})
	}
	if err := stream.Send(&api.ListAndWatchResponse{Devices: devices}); err != nil {
		return err
	}
	<-stream.Context().Done()
	return nil
}

func (plugin) Allocate(_ context.Context, request *api.AllocateRequest) (*api.AllocateResponse, error) {
	response := &api.AllocateResponse{}
	for _, container := range request.ContainerRequests {
		response.ContainerResponses = append(response.ContainerResponses, &api.ContainerAllocateResponse{
			Envs: map[string]string{"NVIDIA_VISIBLE_DEVICES": strings.Join(container.DevicesIds, ",")},
		})
	}
	return response, nil
}
