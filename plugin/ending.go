package plugin

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/meshq/kubectl-meshq/plugin/process"
)

// grace is the time that a run has to clean up and end after an interrupt or a
// timeout. Then supervise ends the process. Some waits don't stop with a context: a
// wait for a program that the kubeconfig names, or for the reader of standard
// output.
const grace = 3 * time.Second

// endingSignals returns a channel that receives the signals that end a run. Signals
// that the process was started to ignore, as with nohup, stay ignored. The channel
// receives signals until the process ends, so that a signal after the run doesn't
// replace the exit code.
func endingSignals() <-chan os.Signal {
	c := make(chan os.Signal, 2)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT} {
		if !signal.Ignored(s) {
			signal.Notify(c, s)
		}
	}
	return c
}

// Main runs one command line and returns its exit code.
func Main(w *process.World) int {
	world := *w
	world.Scratch, world.Overdue, world.Interrupts = &process.Scratch{}, make(chan struct{}, 1), &process.Interrupts{}
	signal.Ignore(syscall.SIGPIPE) // a reader that has closed the pipe then causes a write error, after which the run cleans up and ends
	return supervise(&world, endingSignals(), grace)
}

// supervise runs the command line and returns its exit code. After an interrupt or a
// timeout, it waits for the run to end. At a second signal, or when the grace period
// is over, it returns without waiting any longer.
func supervise(w *process.World, signals <-chan os.Signal, grace time.Duration) int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan int, 1)
	go func() { done <- executeClean(ctx, w) }()
	var late <-chan time.Time
	for {
		select {
		case code := <-done:
			return code
		case <-w.Overdue:
			late = time.After(grace)
			continue
		case s := <-signals:
			if s == os.Interrupt && w.Interrupts.Interrupt() {
				continue // it ends a query of the shell
			}
			if ctx.Err() == nil {
				cancel()
				late = time.After(grace)
				continue
			}
		case <-late:
		}
		w.Scratch.Remove()
		if ctx.Err() == nil {
			return reportError(w, process.Exit(process.ExitRun, context.DeadlineExceeded))
		}
		reportError(w, process.Exit(process.ExitRun, context.Canceled))
		return process.ExitInterrupted
	}
}

// executeClean runs the command line and then removes its temporary files. A run
// leaves some only after an error or a panic.
func executeClean(ctx context.Context, w *process.World) int {
	defer w.Scratch.Remove()
	return execute(ctx, w)
}
