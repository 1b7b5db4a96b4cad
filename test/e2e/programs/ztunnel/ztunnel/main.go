// Command ztunnel stands in for a ztunnel in the test mesh, because ztunnel can't be built from the module proxy. It
// subscribes at istiod to workloads, services and policies as a ztunnel does, by delta xDS, and acknowledges them. At its
// admin port it serves what istiod sent in the form of ztunnel's config dump (state.rs, rbac.rs). It forwards no
// connections and has no certificates.
//
// Start with xds.go; dump.go converts istiod's messages to the dump.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net/http"
	"strings"
)

func main() {
	var c client
	admin := flag.String("admin", "", "the address of the admin port")
	flag.StringVar(&c.xds, "xds", "", "the address of istiod")
	flag.StringVar(&c.pod, "pod", "", "the name of the pod")
	flag.StringVar(&c.namespace, "namespace", "istio-system", "the namespace of the pod")
	flag.StringVar(&c.ip, "ip", "", "the address of the pod")
	flag.StringVar(&c.node, "node", "", "the node of the pod")
	flag.StringVar(&c.cluster, "cluster", "", "the cluster id, CLUSTER_ID; empty for none")
	flag.Parse()
	go c.run(context.Background())
	levels := &logLevel{level: "info"}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /config_dump", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(c.dump()); err != nil {
			log.Print(err)
		}
	})
	mux.HandleFunc("POST /logging", levels.serve)
	log.Fatal(http.ListenAndServe(*admin, mux))
}

// logLevel is the log level of a ztunnel, which it lists and sets as admin.rs does.
type logLevel struct{ level string }

func (l *logLevel) serve(w http.ResponseWriter, r *http.Request) {
	level := r.URL.Query().Get("level")
	for clause := range strings.SplitSeq(level, ",") {
		_, word, isScope := strings.Cut(clause, "=")
		if !isScope {
			word = clause
		}
		switch word {
		case "off", "error", "warn", "info", "debug", "trace", "":
		default:
			http.Error(w, "Invalid level provided: "+level, http.StatusBadRequest)
			return
		}
	}
	switch {
	case r.URL.Query().Has("reset"):
		l.level = "info"
	case level != "":
		l.level = level
	}
	fmt.Fprintf(w, "current log level is hickory_server::server::server_future=off,%s\n", l.level)
}
