package fleet

import (
	"encoding/json"
	"net"
	"net/http"
)

// ServeControl opens the control port. GET /counters returns the counters, POST /counters resets them, and GET /proxies
// lists the proxies.
func (f *Fleet) ServeControl() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	f.Control = "http://" + l.Addr().String()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /counters", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, f.counters.Read()) })
	mux.HandleFunc("POST /counters", func(w http.ResponseWriter, _ *http.Request) { f.counters.Reset() })
	mux.HandleFunc("GET /proxies", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, f.proxies) })
	f.serveHTTP(l, mux, nil)
	return nil
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the client may have closed the connection
}
