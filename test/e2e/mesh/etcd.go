package mesh

import (
	"context"
	"path/filepath"
)

func (m *Mesh) startEtcd(ctx context.Context) error {
	client, peer := "http://"+loopback(m.port.etcd), "http://"+loopback(m.port.etcdPeer)
	p, err := m.start(command{
		name: "etcd", path: m.programs.Etcd,
		args: []string{
			"--name=etcd", "--data-dir=" + filepath.Join(m.Dir, "etcd"),
			"--listen-client-urls=" + client, "--advertise-client-urls=" + client,
			"--listen-peer-urls=" + peer, "--initial-advertise-peer-urls=" + peer,
			"--initial-cluster=etcd=" + peer,
			"--unsafe-no-fsync=true", "--log-level=warn",
		},
	})
	if err != nil {
		return err
	}
	return p.await(ctx, func(ctx context.Context) error { return answers(ctx, client+"/health") })
}
