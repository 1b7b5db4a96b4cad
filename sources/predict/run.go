package predict

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/meshq/kubectl-meshq/sources/apiserver"
	"github.com/meshq/kubectl-meshq/sources/istiod"
	"github.com/meshq/kubectl-meshq/sources/sandbox"
	"github.com/meshq/kubectl-meshq/sources/xds"
)

// Options configure a prediction.
type Options struct {
	Binary  string   // the path of istiod's binary (pilot-discovery)
	Env     []string // additional environment variables of istiod, each as "NAME=value"
	All     bool     // true to request the configuration of every proxy, not only of one in each class
	Now     time.Time
	TempDir string // the directory for temporary files; if empty, the system's

	// Sleep waits for a duration, or until ctx ends; in the second case, it returns
	// the error of ctx.
	Sleep func(ctx context.Context, d time.Duration) error

	// Concurrency is the number of proxies whose configuration is requested at
	// once; 0 means 8.
	Concurrency int
}

// A Prediction is what istiod would send to the proxies of a mesh without and with a
// change.
type Prediction struct {
	Inputs  *Inputs
	Overlay *Overlay
	Classes []*Class
	Gate    *Gate

	Verdicts []sandbox.Verdict // the verdicts of istiod's admission webhook, one for each of Overlay.Edits
	Binary   string            // the version of istiod's binary; empty if it was built without a version
	Blocked  []string          // the hosts to which the istiods tried to connect; no connection was made

	decoder *xds.Decoder
}

// Refused reports whether istiod's admission webhook refuses any object of the
// change.
func (p *Prediction) Refused() bool {
	return slices.ContainsFunc(p.Verdicts, func(v sandbox.Verdict) bool { return v.Refused != "" })
}

// Run predicts the configuration that istiod would send with the overlay. It
// leaves out objects that the admission webhook refuses. When Run returns, all
// processes that it started have ended.
func Run(ctx context.Context, in *Inputs, overlay *Overlay, o Options) (*Prediction, error) {
	if o.Concurrency == 0 {
		o.Concurrency = 8
	}
	decoder, err := xds.NewDecoder()
	if err != nil {
		return nil, err
	}
	p := &Prediction{Inputs: in, Overlay: overlay, decoder: decoder}
	changed := in.Objects.Clone()
	changed.Apply(overlay.Changes(func(*Edit) bool { return true }))
	var before, after *side
	defer func() {
		for _, s := range []*side{before, after} {
			if s != nil {
				s.stop()
			}
		}
	}()
	group, started := errgroup.WithContext(ctx)
	group.Go(func() (err error) { before, err = start(started, in, in.Objects.Clone(), o); return err })
	group.Go(func() (err error) { after, err = start(started, in, changed, o); return err })
	if err := group.Wait(); err != nil {
		return nil, err
	}
	p.Binary = istiod.Version(before.istiod.Version)
	if err := p.admit(ctx, before.istiod); err != nil {
		return nil, err
	}
	admitted := overlay.Changes(p.isAdmitted)
	if p.Refused() { // the API server would not store the refused objects
		changed = in.Objects.Clone()
		changed.Apply(admitted)
		after.stop()
		if after, err = start(ctx, in, changed, o); err != nil {
			return nil, err
		}
	}
	p.Classes = classes(in.Proxies, []*apiserver.Objects{in.Objects, changed}, o.All)
	if err := p.ask(ctx, before, after, o); err != nil {
		return nil, err
	}
	if err := p.pushes(ctx, before, admitted, o); err != nil {
		return nil, err
	}
	for _, s := range []*side{before, after} {
		p.Blocked = append(p.Blocked, s.server.Blocked()...)
	}
	slices.Sort(p.Blocked)
	p.Blocked = slices.Compact(p.Blocked)
	p.Gate, err = p.verify(ctx)
	return p, err
}

func (p *Prediction) isAdmitted(e *Edit) bool {
	i := slices.Index(p.Overlay.Edits, e)
	return p.Verdicts[i].Refused == ""
}

// admit sends every object of the change to istiod's admission webhook. It doesn't
// send removals, which are always admitted, nor objects of other kinds than Istio's.
func (p *Prediction) admit(ctx context.Context, i *sandbox.Istiod) error {
	for _, e := range p.Overlay.Edits {
		var v sandbox.Verdict
		if !e.Remove && apiserver.IsCustom(e.Resource) {
			var err error
			if v, err = i.Admit(ctx, e.Object, e.Base != nil); err != nil {
				return err
			}
		}
		p.Verdicts = append(p.Verdicts, v)
	}
	return nil
}

// A side is an istiod with its API server, and the xDS streams of those proxies
// whose configuration was requested.
type side struct {
	server  *apiserver.Server
	istiod  *sandbox.Istiod
	client  *xds.Client
	streams map[*Proxy]*xds.Stream
}

func start(ctx context.Context, in *Inputs, objects *apiserver.Objects, o Options) (*side, error) {
	server, err := apiserver.New(objects)
	if err != nil {
		return nil, err
	}
	s := &side{server: server, streams: map[*Proxy]*xds.Stream{}}
	s.istiod, err = sandbox.Start(ctx, sandbox.Options{
		Binary: o.Binary, Server: server, Namespace: in.Namespace, Revision: in.Revision, ClusterID: in.ClusterID,
		Env: slices.Concat(in.Env, o.Env), Sleep: o.Sleep, TempDir: o.TempDir,
	})
	if err != nil {
		s.stop()
		return nil, err
	}
	s.client = xds.NewClient(s.istiod.XDS)
	return s, nil
}

func (s *side) stop() {
	for _, stream := range s.streams {
		stream.Close()
	}
	s.streams = nil
	if s.client != nil {
		s.client.Close()
	}
	if s.istiod != nil {
		s.istiod.Stop()
	}
	s.server.Close()
}

// spotChecks is the number of classes in which a second proxy is checked.
const spotChecks = 10

// ask requests the configuration of the first proxy of each class from both istiods.
// In some classes it does the same for a second proxy, chosen at random. If the two
// proxies get different configuration, the class is split into its members, and the
// configuration of each is requested.
func (p *Prediction) ask(ctx context.Context, before, after *side, o Options) error {
	asked := make([]*Proxy, 0, len(p.Classes)+spotChecks)
	seconds := map[*Class]*Proxy{}
	for _, c := range p.Classes {
		asked = append(asked, c.Members[0])
	}
	for _, i := range rand.Perm(len(p.Classes)) {
		if c := p.Classes[i]; len(c.Members) > 1 && len(seconds) < spotChecks {
			seconds[c] = c.Members[1+rand.IntN(len(c.Members)-1)]
			asked = append(asked, seconds[c])
		}
	}
	got, err := askBoth(ctx, before, after, asked, o)
	if err != nil {
		return err
	}
	var divided []*Proxy
	p.Classes = slices.DeleteFunc(p.Classes, func(c *Class) bool {
		first, second := got[c.Members[0]], seconds[c]
		if second != nil && !(first[0].equal(got[second][0]) && first[1].equal(got[second][1])) {
			divided = append(divided, c.Members...)
			return true
		}
		c.Before, c.After = first[0], first[1]
		return false
	})
	if len(divided) == 0 {
		return nil
	}
	if got, err = askBoth(ctx, before, after, divided, o); err != nil {
		return err
	}
	for _, m := range divided {
		p.Classes = append(p.Classes, &Class{Members: []*Proxy{m}, Before: got[m][0], After: got[m][1]})
	}
	slices.SortFunc(p.Classes, func(a, b *Class) int { return bytes.Compare([]byte(a.Members[0].ID), []byte(b.Members[0].ID)) })
	return nil
}

// equal reports whether the configurations of two proxies are the same.
func (c Config) equal(d Config) bool {
	return maps.EqualFunc(c, d, func(a, b map[string][]byte) bool { return maps.EqualFunc(a, b, bytes.Equal) })
}

// askBoth returns the configuration that each of the two istiods sends to the
// proxies.
func askBoth(ctx context.Context, before, after *side, proxies []*Proxy, o Options) (map[*Proxy][2]Config, error) {
	var configs [2]map[*Proxy]Config
	for i, s := range []*side{before, after} {
		var err error
		if configs[i], err = s.ask(ctx, proxies, i == 0, o); err != nil {
			return nil, err
		}
	}
	out := map[*Proxy][2]Config{}
	for _, p := range proxies {
		out[p] = [2]Config{configs[0][p], configs[1][p]}
	}
	return out, nil
}

// ask requests the configuration of several proxies at once. If keep is set,
// their xDS streams stay open.
func (s *side) ask(ctx context.Context, proxies []*Proxy, keep bool, o Options) (map[*Proxy]Config, error) {
	streams, configs := make([]*xds.Stream, len(proxies)), make([]Config, len(proxies))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(o.Concurrency)
	for i, p := range proxies {
		group.Go(func() (err error) {
			// Wait ends the group's context, but the stream must stay open after that.
			stream, err := s.client.Open(context.WithoutCancel(ctx), p.Node)
			if err != nil {
				return fmt.Errorf("%s: %w", p.ID, err)
			}
			if err = stream.Ask(ctx, nil); err == nil {
				configs[i] = stream.Resources()
			}
			if !keep || err != nil {
				stream.Close()
				return err
			}
			streams[i] = stream
			return nil
		})
	}
	err := group.Wait()
	out := map[*Proxy]Config{}
	for i, p := range proxies {
		if old := s.streams[p]; old != nil && streams[i] != nil {
			old.Close()
		}
		if streams[i] != nil {
			s.streams[p] = streams[i]
		}
		out[p] = configs[i]
	}
	return out, err
}

// istiod collects changes for a moment before it pushes them. When no response
// has arrived for the duration quiet, it has pushed everything. mostQuiet limits
// the wait.
const (
	quiet     = 300 * time.Millisecond
	mostQuiet = 5 * time.Second
	look      = 20 * time.Millisecond
)

// pushes applies the change to the istiod without it, while the proxies are
// connected. It records which types istiod pushes to each class.
func (p *Prediction) pushes(ctx context.Context, before *side, changes []apiserver.Change, o Options) error {
	counts := func() map[*Class]map[xds.Type]int {
		all := map[*Class]map[xds.Type]int{}
		for _, c := range p.Classes {
			if stream := before.streams[c.Members[0]]; stream != nil {
				all[c] = stream.Responses()
			}
		}
		return all
	}
	first := counts()
	before.server.Apply(changes)
	last, still := first, time.Duration(0)
	for waited := time.Duration(0); still < quiet && waited < mostQuiet; waited += look {
		if err := o.Sleep(ctx, look); err != nil {
			return err
		}
		now := counts()
		if still += look; !maps.EqualFunc(last, now, maps.Equal[map[xds.Type]int, map[xds.Type]int]) {
			still = 0
		}
		last = now
	}
	for _, c := range p.Classes {
		for _, t := range xds.Types() {
			if last[c][t] > first[c][t] {
				c.Pushed = append(c.Pushed, t)
			}
		}
	}
	return nil
}

// Skew describes how the version of istiod's binary differs from that of the mesh's
// istiod. It returns "" if the versions are equal or one of them is not known.
func (p *Prediction) Skew() string {
	if p.Binary == "" || p.Inputs.Version == "" || p.Binary == p.Inputs.Version {
		return ""
	}
	return fmt.Sprintf("the binary is istiod %s, that of the mesh is %s", p.Binary, p.Inputs.Version)
}

// Changes reports whether the change makes istiod send different configuration to
// the class.
func (c *Class) Changes() bool { return !c.Before.equal(c.After) }
