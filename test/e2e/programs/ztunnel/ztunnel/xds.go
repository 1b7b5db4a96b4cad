package main

import (
	"context"
	"log"
	"sync"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/structpb"
	"istio.io/istio/pkg/workloadapi"
	"istio.io/istio/pkg/workloadapi/security"
)

const (
	addressType       = "type.googleapis.com/istio.workload.Address"
	authorizationType = "type.googleapis.com/istio.security.Authorization"
)

// client is the xDS client of one ztunnel, and what it was sent, by the names of the resources.
type client struct {
	xds, pod, namespace, ip, node, cluster string

	mu        sync.Mutex
	workloads map[string]*workloadapi.Workload
	services  map[string]*workloadapi.Service
	policies  map[string]*security.Authorization
}

// run keeps a connection to istiod until ctx ends. Each connection starts without state.
func (c *client) run(ctx context.Context) {
	for ctx.Err() == nil {
		if err := c.connect(ctx); err != nil {
			log.Print(err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (c *client) connect(ctx context.Context) error {
	conn, err := grpc.NewClient(c.xds, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)))
	if err != nil {
		return err
	}
	defer conn.Close()
	stream, err := discovery.NewAggregatedDiscoveryServiceClient(conn).DeltaAggregatedResources(ctx)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.workloads, c.services, c.policies = map[string]*workloadapi.Workload{}, map[string]*workloadapi.Service{}, map[string]*security.Authorization{}
	c.mu.Unlock()
	for _, typeURL := range []string{addressType, authorizationType} {
		if err := stream.Send(&discovery.DeltaDiscoveryRequest{Node: c.self(), TypeUrl: typeURL}); err != nil {
			return err
		}
	}
	for {
		response, err := stream.Recv()
		if err != nil {
			return err
		}
		if err := c.take(response); err != nil {
			return err
		}
		if err := stream.Send(&discovery.DeltaDiscoveryRequest{TypeUrl: response.TypeUrl, ResponseNonce: response.Nonce}); err != nil {
			return err
		}
	}
}

// self returns the node that a ztunnel sends, as xds/client.rs makes it.
func (c *client) self() *core.Node {
	metadata := map[string]any{"NAME": c.pod, "NAMESPACE": c.namespace, "INSTANCE_IPS": c.ip, "NODE_NAME": c.node}
	if c.cluster != "" {
		metadata["CLUSTER_ID"] = c.cluster
	}
	m, _ := structpb.NewStruct(metadata) // strings can always be converted
	return &core.Node{Id: "ztunnel~" + c.ip + "~" + c.pod + "." + c.namespace + "~" + c.namespace + ".svc.cluster.local", Metadata: m}
}

// take stores the resources of a response.
func (c *client) take(r *discovery.DeltaDiscoveryResponse) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range r.RemovedResources {
		delete(c.workloads, name)
		delete(c.services, name)
		delete(c.policies, name)
	}
	for _, resource := range r.Resources {
		switch r.TypeUrl {
		case addressType:
			var a workloadapi.Address
			if err := resource.Resource.UnmarshalTo(&a); err != nil {
				return err
			}
			if w := a.GetWorkload(); w != nil {
				c.workloads[resource.Name] = w
			} else if s := a.GetService(); s != nil {
				c.services[resource.Name] = s
			}
		case authorizationType:
			var p security.Authorization
			if err := resource.Resource.UnmarshalTo(&p); err != nil {
				return err
			}
			c.policies[resource.Name] = &p
		}
	}
	return nil
}
