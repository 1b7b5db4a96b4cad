package pictures

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/sources/transport"
	"github.com/meshq/kubectl-meshq/test/program"
)

// browse opens a page in a real browser: in light and dark mode, and printed. It
// reports the requests, errors, violations that axe-core finds, and what the
// keyboard does.
const browse = `
import { chromium } from 'playwright-core';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
const [page_, executablePath, shots] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
const out = { requests: [], errors: [], violations: [] };
for (const colorScheme of ['light', 'dark']) {
  const context = await browser.newContext({ colorScheme, viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  page.on('request', r => out.requests.push(r.url()));
  page.on('pageerror', e => out.errors.push(String(e)));
  page.on('console', m => { if (m.type() === 'error') out.errors.push(m.text()); });
  await page.goto('file://' + page_);
  const session = await context.newCDPSession(page); // the page's policy allows no script of others, so axe-core is run beside it
  await session.send('Runtime.evaluate', { expression: axe });
  const result = await session.send('Runtime.evaluate', { expression: "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']}).then(r => JSON.stringify([r.passes.length, r.violations.map(v => v.id + ': ' + v.nodes.slice(0, 3).map(n => n.html + ' ' + n.failureSummary).join(' | '))]))", awaitPromise: true, returnByValue: true });
  const [passes, violations] = JSON.parse(result.result.value);
  out.passes = passes;
  out.violations.push(...violations.map(v => colorScheme + ' ' + v));
  if (colorScheme === 'light') {
    const visible = () => page.$$eval('#fleet-table tbody tr', rows => rows.filter(r => !r.hidden).map(r => r.cells[0].textContent));
    out.all = await visible();
    for (let i = 0; i < 60; i++) { // by the keyboard alone
      await page.keyboard.press('Tab');
      if (await page.evaluate(() => document.activeElement.id) === 'filter') break;
    }
    await page.keyboard.type('reviews-v2');
    out.filtered = await visible();
    await page.keyboard.press('Control+A');
    await page.keyboard.press('Delete');
    await page.keyboard.press('Tab');
    await page.keyboard.type('not');
    out.notInSync = await visible();
    await page.keyboard.press('Home');
    await page.keyboard.type('all');
    for (let i = 0; i < 10; i++) {
      await page.keyboard.press('Tab');
      if (await page.evaluate(() => document.activeElement.textContent) === 'Proxy') break;
    }
    await page.keyboard.press('Enter');
    await page.keyboard.press('Enter');
    out.sorted = await visible();
    await page.keyboard.press('Tab'); await page.keyboard.press('Tab'); await page.keyboard.press('Enter');
    out.byLDS = await page.$$eval('#fleet-table tbody tr', rows => rows.map(r => r.cells[2].textContent));
    const first = await page.$('#fleet-table tbody a');
    await first.focus(); await page.keyboard.press('Enter');
    await page.waitForSelector('details[open]', { timeout: 60000 });
    out.opened = await page.$$eval('details[open]', all => all.map(d => d.id));
    out.pdf = (await page.pdf()).length;
    const narrow = await context.newPage();
    await narrow.setViewportSize({ width: 380, height: 800 });
    await narrow.goto('file://' + page_);
    out.overflow = await narrow.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  }
  await page.screenshot({ path: shots + '/' + colorScheme + '.png', fullPage: false });
  await context.close();
}
await browser.close();
console.log(JSON.stringify(out));
`

// A visit is what the script browse reports.
type visit struct {
	Requests, Errors, Violations []string

	All, Filtered, NotInSync, Sorted, ByLDS, Opened []string

	Passes, PDF, Overflow int
}

// visitPage writes a page to a file and opens it in Chromium.
func visitPage(t *testing.T, html string) visit {
	t.Helper()
	chromium := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			chromium = path
			break
		}
	}
	if chromium == "" {
		t.Skip("no chromium on PATH")
	}
	for _, module := range []string{"playwright-core", "axe-core"} {
		if !exists(filepath.Join(nodeModules, "node_modules", module)) {
			t.Skipf("no package %s of npm in %s", module, nodeModules)
		}
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "mesh.html")
	if err := os.WriteFile(path, []byte(html), 0o600); err != nil {
		t.Fatal(err)
	}
	var v visit
	out := node(t, "playwright-core", browse, "", path, chromium, dir)
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if len(v.Requests) != 2 || slices.ContainsFunc(v.Requests, func(url string) bool { return url != "file://"+path && !strings.HasPrefix(url, "data:") }) {
		t.Errorf("requests: %q", v.Requests)
	}
	if len(v.Errors) > 0 || len(v.Violations) > 0 || v.Passes < 20 {
		t.Errorf("errors %q, violations %s, %d rules passed", v.Errors, strings.Join(v.Violations, "\n"), v.Passes)
	}
	return v
}

// TestReportInABrowser opens the report of the demo in Chromium: no request leaves,
// axe-core finds no violation in light and dark mode, and the keyboard filters,
// sorts and opens.
func TestReportInABrowser(t *testing.T) {
	html, _, code := program.Run(t, "report", "--snapshot", "demo")
	if code != 6 { // the version of istiod is unknown
		t.Fatal(code)
	}
	v := visitPage(t, html)
	out, _, _ := program.Run(t, "--snapshot", "demo", "-r", ".proxies[].id")
	all := strings.Fields(out)
	reversed := slices.Clone(all)
	slices.Reverse(reversed)
	switch {
	case !slices.Equal(v.All, all):
		t.Errorf("rows: %q", v.All)
	case !slices.Equal(v.Filtered, []string{"reviews-v2-7d79d5bd5d-8zzqd.default"}):
		t.Errorf("filtered: %q", v.Filtered)
	case !slices.Equal(v.NotInSync, []string{"ratings-v1-7dc98c7588-8jsbw.default", "reviews-v2-7d79d5bd5d-8zzqd.default"}):
		t.Errorf("not in sync: %q", v.NotInSync)
	case !slices.Equal(v.Sorted, reversed):
		t.Errorf("sorted: %q", v.Sorted)
	case !slices.IsSorted(v.ByLDS) || v.ByLDS[0] != "ERROR":
		t.Errorf("by LDS: %q", v.ByLDS)
	case len(v.Opened) != 1 || v.PDF < 10_000 || v.Overflow > 0:
		t.Errorf("opened %q, PDF of %d bytes, %d pixels too wide at 380", v.Opened, v.PDF, v.Overflow)
	}
}

// TestReportSaysWhatThePluginSays compares the report with the status, the checks
// and the certificates.
func TestReportSaysWhatThePluginSays(t *testing.T) {
	for _, format := range []string{"html", "markdown"} {
		page, _, _ := program.Run(t, "report", "--snapshot", "demo", "-o", format)
		page = strings.NewReplacer(`\`, "", "&#39;", "'", "&#34;", `"`).Replace(page)
		for _, query := range []string{
			`.proxies[] | select(synced | not) | .id`,
			`[.proxies[].secrets[] | .notAfter | values | sub("T.*"; "")] | unique[]`,
		} {
			out, errs, code := program.Run(t, "--snapshot", "demo", "-r", query)
			if code != 0 || out == "" {
				t.Fatal(errs)
			}
			for line := range strings.Lines(out) {
				if !strings.Contains(page, strings.TrimSpace(line)) {
					t.Errorf("%s: %q is missing", format, line)
				}
			}
		}
		out, _, _ := program.Run(t, "--snapshot", "demo", "check", "-r", "-o", "jsonpath={range .items[*]}{.message}{\"\\n\"}{.next}{\"\\n\"}{end}")
		if out == "" {
			out, _, _ = program.Run(t, "--snapshot", "demo", "check", "-o", "custom-columns=M:.message", "--no-headers")
		}
		n := 0
		for line := range strings.Lines(out) {
			if n++; !strings.Contains(page, strings.TrimSpace(line)) {
				t.Errorf("%s: %q is missing", format, line)
			}
		}
		if n < 5 {
			t.Errorf("%s: %d findings", format, n)
		}
	}
}

// TestReportNamesWhatWasNotRead removes a proxy's config dump.
func TestReportNamesWhatWasNotRead(t *testing.T) {
	dir := program.RewrittenDemo(t, []string{program.Victim + "/config_dump.json"}, func(_ string, v any) any { return v })
	for _, format := range []string{"html", "markdown"} {
		page, _, code := program.Run(t, "report", "--snapshot", dir, "-o", format)
		_, unread, ok := strings.Cut(page, "Not read</h2>")
		if format == "markdown" {
			_, unread, ok = strings.Cut(page, "## Not read")
		}
		if code != 6 || !ok || !strings.Contains(unread, program.Victim) || strings.Contains(page, "Everything was read") {
			t.Errorf("%s: %d: %s", format, code, unread)
		}
	}
}

// TestReportIsHarmless makes the report of a mesh whose every text tries to break
// out of the page, and opens it.
func TestReportIsHarmless(t *testing.T) {
	dir := program.Poisoned(t, `"><script>document.title='OWNED'</script><img src=http://127.0.0.1:1/x onerror=alert(1)>`)
	html, _, _ := program.Run(t, "report", "--snapshot", dir)
	if strings.Count(html, "<script>") != 1 || strings.Contains(html, "<img") {
		t.Error("a text of the mesh is an element of the page")
	}
	visitPage(t, html)
}

// TestReportOfAThousandProxies checks the size of the page for a fleet of which no
// two proxies share a workload.
func TestReportOfAThousandProxies(t *testing.T) {
	html, errs, code := program.Run(t, "report", "--snapshot", fleet(t, 1000))
	if code != 0 && code != 6 {
		t.Fatal(errs)
	}
	t.Logf("%d bytes", len(html))
	if n := strings.Count(html, "<details id="); n != 1000 || len(html) > 1_500_000 {
		t.Errorf("%d proxies, %d bytes", n, len(html))
	}
}

// fleet writes a snapshot of n proxies. Each has the config dump of the same real
// sidecar, under a name of its own.
func fleet(t *testing.T, n int) string {
	t.Helper()
	const pod = "reviews-v2-7d79d5bd5d-8zzqd"
	dump, err := os.ReadFile("sources/testdata/stale/proxies/" + pod + ".default/config_dump.json")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "fleet.tar.zst")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := transport.NewWriter(f, time.Date(2026, 11, 22, 13, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	add := func(name string, b []byte) {
		if err := w.Add(name, int64(len(b)), bytes.NewReader(b)); err != nil {
			t.Fatal(err)
		}
	}
	var synced []string
	for i := range n {
		name := fmt.Sprintf("service%d-v1-7d79d5bd5d-8zzqd", i)
		synced = append(synced, fmt.Sprintf(`{"cluster_id":"Kubernetes","proxy":"%s.default","proxy_type":"sidecar","istio_version":"1.31.0","resources":{}}`, name))
		add("proxies/"+name+".default/config_dump.json", bytes.ReplaceAll(dump, []byte(pod), []byte(name)))
	}
	add("pilots/istiod.istio-system/syncz.json", []byte("["+strings.Join(synced, ",")+"]"))
	add("pilots/istiod.istio-system/adsz.json", []byte(`{"clients":[]}`))
	add("kubernetes/pods.json", []byte(`{"kind":"List","items":[]}`))
	add("manifest.json", []byte(`{"kind":"Snapshot","version":1,"takenAt":"2026-11-22T13:00:00Z"}`))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}
