package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

const staleOnes = 10

// The questions asked to a fleet. The third one filters by a field inside the repeated elements of a resource. Envoy
// can't filter by that field and its field masks can't select it, so every route configuration of the fleet is
// transferred whole.
const (
	askStale   = `.proxies[] | select(.rds == "STALE") | .clusters | length`
	askByName  = `[.proxies[].clusters[] | select(.name | test("reviews"))] | length`
	askByField = `[.proxies[].routes[].virtualHosts[] | select(.includeRequestAttemptCount == true)] | length`
)

// clusterSection is the request for all clusters of an Envoy.
const clusterSection = "/config_dump?mask=version_info,static_clusters,dynamic_active_clusters,dynamic_warming_clusters"

var fleetHead = []string{"question", "time", "CPU", "peak memory", "the fleet's CPU", "requests to istiods", "to Envoys", "bytes of Envoys"}

func fleetRow(what string, a []fleetRun) []string {
	return []string{
		what, millis(median(a, func(a fleetRun) time.Duration { return a.wall })), seconds(median(a, func(a fleetRun) float64 { return a.CPU })),
		megabytes(median(a, func(a fleetRun) int64 { return a.Memory })), seconds(median(a, func(a fleetRun) float64 { return a.served })),
		fmt.Sprint(median(a, toIstiods)), fmt.Sprint(median(a, toEnvoys)), megabytes(median(a, func(a fleetRun) int64 { return a.Envoys.Bytes })),
	}
}

func toEnvoys(a fleetRun) int64 { return a.Envoys.Requests }

func toIstiods(a fleetRun) (n int64) {
	for _, i := range a.Istiods {
		n += i.Requests
	}
	return n
}

// busiestIstiod returns the number of requests that the busiest istiod received.
func busiestIstiod(a fleetRun) (n int64) {
	for _, i := range a.Istiods {
		n = max(n, i.Requests)
	}
	return n
}

func askedWall(a fleetRun) time.Duration { return a.wall }
func askedMemory(a fleetRun) int64       { return a.Memory }

// fleetParts measures queries about a large fleet, through its API server.
func (b *bench) fleetParts(ctx context.Context) (err error) {
	s, err := b.simulate(ctx, mesh{proxies: b.proxies, istiods: 3, dumpMB: b.fleetMB, latency: b.latency, stale: staleOnes})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	out, err := b.ask(ctx, s, b.fleetRuns, []program{
		b.query(s, "status"), b.query(s, "stale", askStale), b.query(s, "by name", askByName), b.query(s, "by field", askByField),
	})
	if err != nil {
		return err
	}
	t := table{
		title: fmt.Sprintf("A fleet: %d proxies with dumps of %g MB, 3 istiods, %s before each answer", b.proxies, b.fleetMB, b.latency),
		note:  fmt.Sprintf("Through an API server's port-forward (TLS, WebSocket), 16 requests at a time. %d proxies are STALE.", staleOnes),
		head:  fleetHead,
	}
	for _, q := range [][2]string{{"status", "(the status table)"}, {"stale", askStale}, {"by name", askByName}, {"by field", askByField}} {
		t.rows = append(t.rows, fleetRow(q[1], out[q[0]]))
	}
	if err := b.staleGoals(ctx, s, out, &t); err != nil {
		return err
	}
	if err := b.wholeGoals(ctx, s, "clusters by name", 1.5, out["by name"], &t); err != nil {
		return err
	}
	// The transfer alone occupies both cores, so decoding adds to the time.
	if err := b.wholeGoals(ctx, s, "virtual hosts by a field, which Envoy can't choose by", 2, out["by field"], &t); err != nil {
		return err
	}
	b.report.add(t)
	return b.oneProxy(ctx, s)
}

// oneProxy measures queries for one resource of one proxy. They should cost little compared to reading the whole dump.
func (b *bench) oneProxy(ctx context.Context, s *simulator) error {
	all, err := s.list(ctx)
	if err != nil {
		return err
	}
	id := all[0].Name + "." + all[0].Namespace
	t := table{title: fmt.Sprintf("One resource of one proxy, of a dump of %g MB", b.fleetMB), head: append(slices.Clone(fleetHead), "of the whole dump")}
	for _, what := range []string{`cluster("outbound|9080||reviews.default.svc.cluster.local")`, `route("8003")`} {
		query := fmt.Sprintf(".proxy(%q).%s | .name", id, what)
		out, err := b.ask(ctx, s, b.fleetRuns, []program{b.query(s, "one", query)})
		if err != nil {
			return err
		}
		n := median(out["one"], func(a fleetRun) int64 { return a.Envoys.Bytes })
		t.rows = append(t.rows, append(fleetRow("."+what, out["one"]), fmt.Sprintf("1/%.0f", b.fleetMB*1e6/float64(max(n, 1)))))
	}
	b.report.add(t)
	return nil
}

// staleGoals compares the query for the clusters of stale proxies with the plain transfer of the same answers.
func (b *bench) staleGoals(ctx context.Context, s *simulator, out map[string][]fleetRun, t *table) error {
	all, err := s.list(ctx)
	if err != nil {
		return err
	}
	stale := slices.DeleteFunc(all, func(p proxy) bool { return p.Trouble != "stale" })
	asked := out["stale"]
	same, err := b.transferred(ctx, s, stale, asked[0].Envoys.Paths)
	if err != nil {
		return err
	}
	alone, err := b.transferred(ctx, s, stale, map[string]int{clusterSection: 1})
	if err != nil {
		return err
	}
	t.rows = append(t.rows,
		fleetRow(fmt.Sprintf("(the same answers, of the %d STALE ones: read by nobody)", staleOnes), same),
		fleetRow(fmt.Sprintf("(the clusters of the %d STALE ones, whole: read by nobody)", staleOnes), alone))
	work := fmt.Sprintf("clusters of the STALE ones of %d proxies", b.proxies)
	n := median(asked, func(a fleetRun) int { return a.Proxies })
	b.report.addGoal(work, fmt.Sprintf("≤ %d section fetches", staleOnes), n <= staleOnes, "%d, in %d requests", n, median(asked, toEnvoys))
	whole, ten := median(asked, askedWall), median(alone, askedWall)
	b.report.addGoal(work, "≤ 3× the time of those ten in parallel", whole <= 3*ten, "%.1f× (%s, with %s for the outline; the ten alone %s)",
		times(whole, ten), millis(whole), millis(median(out["status"], askedWall)), millis(ten))
	return nil
}

// wholeGoals compares a query that reads all proxies with the slower of transfer and decoding. The query may take at
// most the given multiple of that time.
func (b *bench) wholeGoals(ctx context.Context, s *simulator, name string, most float64, asked []fleetRun, t *table) error {
	all, err := s.list(ctx)
	if err != nil {
		return err
	}
	alone, err := b.transferred(ctx, s, all, asked[0].Envoys.Paths)
	if err != nil {
		return err
	}
	t.rows = append(t.rows, fleetRow("(the same answers, "+name+": read by nobody)", alone))
	work := fmt.Sprintf("%s, over %d proxies", name, b.proxies)
	b.report.addGoal(work, "peak memory ≤ 400 MB", median(asked, askedMemory) <= 400e6, "%s", megabytes(median(asked, askedMemory)))
	floor, of := median(alone, askedWall), "transfer"
	if b.namesRate > 0 {
		bytes := median(asked, func(a fleetRun) int64 { return a.Envoys.Bytes })
		if d := time.Duration(float64(bytes) / (2 * b.namesRate) * float64(time.Second)); d > floor {
			floor, of = d, "decoding on two cores"
		}
	}
	whole := median(asked, askedWall)
	b.report.addGoal(work, fmt.Sprintf("≤ %g× the larger of transfer and decoding", most), float64(whole) <= most*float64(floor), "%.2f× (%s; %s %s)", times(whole, floor), millis(whole), of, millis(floor))
	return nil
}

// transferred measures the plain transfer of the same answers that a query reads: it requests the query's paths from
// the given proxies and discards the answers.
func (b *bench) transferred(ctx context.Context, s *simulator, all []proxy, paths map[string]int) ([]fleetRun, error) {
	asked := mostAsked(paths)
	if len(asked) == 0 {
		return nil, errors.New("no Envoy was asked")
	}
	var lines strings.Builder
	for _, p := range all {
		fmt.Fprintln(&lines, p.Name, p.Namespace, strings.Join(asked, " "))
	}
	out, err := b.ask(ctx, s, b.fleetRuns, []program{{name: "transfer", argv: []string{b.transfer, "--kubeconfig", s.Kubeconfig}, in: lines.String()}})
	return out["transfer"], err
}

// mostAsked returns the paths with the highest count.
func mostAsked(paths map[string]int) (all []string) {
	for _, p := range slices.Sorted(maps.Keys(paths)) {
		if len(all) > 0 && paths[p] > paths[all[0]] {
			all = nil
		}
		if len(all) == 0 || paths[p] == paths[all[0]] {
			all = append(all, p)
		}
	}
	return all
}

// statusPart measures the status table of a fleet with three istiods.
func (b *bench) statusPart(ctx context.Context) (err error) {
	s, err := b.simulate(ctx, mesh{proxies: b.status, istiods: 3, pods: b.status / 4, dumpMB: 1, latency: b.latency})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	out, err := b.ask(ctx, s, max(b.runs, b.fleetRuns), []program{b.query(s, "status")})
	if err != nil {
		return err
	}
	a := out["status"]
	after := median(a, fleetRun.after)
	t := table{
		title: fmt.Sprintf("The status of %d proxies on 3 istiods", b.status), note: fmt.Sprintf("%d pods without a proxy beside them; %s before each answer.", b.status/4, b.latency),
		head: append(slices.Clone(fleetHead), "after the last answer"), rows: [][]string{append(fleetRow("(the status table)", a), millis(after))},
	}
	b.report.add(t)
	work := fmt.Sprintf("status of %d proxies on 3 istiods", b.status)
	b.report.addGoal(work, "≤ 4 requests per istiod", median(a, busiestIstiod) <= 4, "%d", median(a, busiestIstiod))
	b.report.addGoal(work, "none to Envoys", median(a, toEnvoys) == 0, "%d", median(a, toEnvoys))
	b.report.addGoal(work, "≤ 1 s after the answers arrive", after <= time.Second, "%s", millis(after))
	return nil
}

// growthPart measures fleets of increasing size.
func (b *bench) growthPart(ctx context.Context) error {
	t := table{
		title: fmt.Sprintf("Growth: every virtual host of fleets with dumps of %g MB", b.growthMB), note: "`" + askByField + "`, 16 requests at a time.",
		head: []string{"proxies", "time", "a proxy", "CPU a proxy", "peak memory", "requests to Envoys", "bytes of Envoys", "status: time", "status: peak memory"},
	}
	type point struct {
		proxies        int
		all, onlyWords []fleetRun
	}
	var curve []point
	for word := range strings.SplitSeq(b.growth, ",") {
		n, err := strconv.Atoi(word)
		if err != nil {
			return err
		}
		p, err := b.grown(ctx, n)
		if err != nil {
			return err
		}
		curve = append(curve, point{n, p["by field"], p["status"]})
	}
	for _, p := range curve {
		each := median(p.all, askedWall) / time.Duration(p.proxies)
		t.rows = append(t.rows, []string{
			fmt.Sprint(p.proxies), millis(median(p.all, askedWall)), fmt.Sprintf("%.2f ms", float64(each)/1e6),
			fmt.Sprintf("%.2f ms", median(p.all, func(a fleetRun) float64 { return a.CPU })*1e3/float64(p.proxies)), megabytes(median(p.all, askedMemory)),
			fmt.Sprint(median(p.all, toEnvoys)), megabytes(median(p.all, func(a fleetRun) int64 { return a.Envoys.Bytes })),
			millis(median(p.onlyWords, askedWall)), megabytes(median(p.onlyWords, askedMemory)),
		})
	}
	b.report.add(t)
	first, last := curve[0], curve[len(curve)-1]
	work := fmt.Sprintf("growth from %d to %d proxies", first.proxies, last.proxies)
	linear := times(median(last.all, askedWall), median(first.all, askedWall)) / (float64(last.proxies) / float64(first.proxies))
	b.report.addGoal(work, "time linear (a proxy at most 1.3× as much)", linear <= 1.3, "%.2f×", linear)
	b.report.addGoal(work, "requests linear", median(last.all, toEnvoys) == int64(last.proxies) && median(first.all, toEnvoys) == int64(first.proxies), "%d and %d", median(first.all, toEnvoys), median(last.all, toEnvoys))
	more := float64(median(last.all, askedMemory)) / float64(median(first.all, askedMemory))
	b.report.addGoal(work, "memory flat (at most 1.5× as much)", more <= 1.5, "%.2f× (%s to %s)", more, megabytes(median(first.all, askedMemory)), megabytes(median(last.all, askedMemory)))
	return nil
}

func (b *bench) grown(ctx context.Context, proxies int) (_ map[string][]fleetRun, err error) {
	s, err := b.simulate(ctx, mesh{proxies: proxies, istiods: 3, dumpMB: b.growthMB})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return b.ask(ctx, s, b.fleetRuns, []program{b.query(s, "by field", askByField), b.query(s, "status")})
}

// checkSizes are the fleets that check is run over. The goals are those of the middle one.
var checkSizes = []int{500, 2000, 5000}

// checkPart measures the command check, which reads most sections of every proxy.
func (b *bench) checkPart(ctx context.Context) error {
	t := table{
		title: fmt.Sprintf("check over fleets with dumps of %g MB", checkMB), note: "16 requests at a time; skew is left out, since the simulated istiods don't tell their version.",
		head: []string{"proxies", "time", "CPU", "CPU a proxy", "peak memory", "requests to Envoys", "sessions a proxy", "bytes of Envoys"},
	}
	runs := map[int]fleetRun{}
	for _, n := range checkSizes {
		run, err := b.checked(ctx, n)
		if err != nil {
			return err
		}
		runs[n] = run
		t.rows = append(t.rows, []string{
			fmt.Sprint(n), millis(run.wall), seconds(run.CPU), fmt.Sprintf("%.2f ms", run.CPU*1e3/float64(n)), megabytes(run.Memory),
			fmt.Sprint(toEnvoys(run)), fmt.Sprintf("%.2f", float64(run.Sessions)/float64(n)), megabytes(run.Envoys.Bytes),
		})
	}
	b.report.add(t)
	first, middle, last := runs[checkSizes[0]], runs[checkSizes[1]], runs[checkSizes[2]]
	work := fmt.Sprintf("check over %d proxies", checkSizes[1])
	b.report.addGoal(work, "≤ 10 s of CPU", middle.CPU <= 10, "%s", seconds(middle.CPU))
	b.report.addGoal(work, "≤ 2 sessions a proxy", middle.Sessions <= 2*checkSizes[1], "%d", middle.Sessions)
	b.report.addGoal(work, "peak memory ≤ 300 MB", middle.Memory <= 300e6, "%s", megabytes(middle.Memory))
	growth := (last.CPU / float64(checkSizes[2])) / (first.CPU / float64(checkSizes[0]))
	b.report.addGoal(fmt.Sprintf("check, growth from %d to %d proxies", checkSizes[0], checkSizes[2]), "CPU linear (a proxy at most 1.3× as much)", growth <= 1.3, "%.2f×", growth)
	return nil
}

// checkMB is the size of the dumps that check reads.
const checkMB = 0.2

// checked runs check once over a fleet.
func (b *bench) checked(ctx context.Context, proxies int) (run fleetRun, err error) {
	s, err := b.simulate(ctx, mesh{proxies: proxies, istiods: 3, dumpMB: checkMB})
	if err != nil {
		return run, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	out, err := b.ask(ctx, s, 1, []program{b.query(s, "check", "check", "--skip", "skew")})
	if err != nil {
		return run, err
	}
	return out["check"][0], nil
}
