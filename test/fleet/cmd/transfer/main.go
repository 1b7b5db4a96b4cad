// Command transfer requests paths from proxies through the API server and discards the answers. It shows how long a
// query's requests alone take, without decoding or evaluation. Standard input has a line "pod namespace path…" for each
// proxy. The paths of one line are requested over one connection; several lines are handled in parallel.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/meshq/kubectl-meshq/sources/forward"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	kubeconfig := flag.String("kubeconfig", "", "of the API server")
	concurrency := flag.Int("concurrency", 16, "how many proxies are asked at once")
	flag.Parse()
	if err := transfer(ctx, *kubeconfig, *concurrency); err != nil {
		fmt.Fprintln(os.Stderr, "transfer:", err)
		os.Exit(1)
	}
}

func transfer(ctx context.Context, kubeconfig string, concurrency int) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	pool, err := forward.New(config, forward.Options{Timeout: context.WithTimeout})
	if err != nil {
		return err
	}
	defer pool.Close()
	lines := make(chan string)
	var work sync.WaitGroup
	var mu sync.Mutex
	var failed error
	for range concurrency {
		work.Go(func() {
			for line := range lines {
				if err := discard(ctx, pool, line); err != nil {
					mu.Lock()
					failed = errors.Join(failed, err)
					mu.Unlock()
				}
			}
		})
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		lines <- in.Text()
	}
	close(lines)
	work.Wait()
	return failed
}

// discard requests all paths of one line.
func discard(ctx context.Context, pool *forward.Pool, line string) error {
	word := strings.Fields(line)
	if len(word) < 3 {
		return fmt.Errorf("%q is not a pod, a namespace and a path", line)
	}
	defer pool.Release(word[1], word[0])
	tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return pool.DialContext(ctx, word[1], word[0], 15000)
	}}
	defer tr.CloseIdleConnections()
	for i, path := range word[2:] {
		if err := get(ctx, tr, path, i == len(word)-3); err != nil {
			return fmt.Errorf("%s: %w", line, err)
		}
	}
	return nil
}

// get requests a path. After the last path of a line the connection is closed.
func get(ctx context.Context, tr *http.Transport, path string, last bool) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost"+path, nil)
	if err != nil {
		return err
	}
	req.Close = last
	resp, err := tr.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
