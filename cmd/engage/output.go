package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/schollz/progressbar/v3"
)

// table lines columns up.
type table struct{ w *tabwriter.Writer }

func newTable(s streams) table { return table{tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)} }

func (t table) row(cells ...string) { fmt.Fprintln(t.w, strings.Join(cells, "\t")) }

func (t table) flush() error { return t.w.Flush() }

// grouped writes a count with its thousands apart.
func grouped(n int64) string {
	digits := fmt.Sprint(n)
	for at := len(digits) - 3; at > 0 && digits[at-1] != '-'; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}

// progress is a bar on a terminal, or a counter where the total is not known,
// and a line a stage elsewhere.
type progress struct {
	s     streams
	stage string
	bar   *progressbar.ProgressBar
}

func newProgress(s streams) *progress { return &progress{s: s} }

// show tells that a stage has done part of its work; total 0 is unknown.
func (p *progress) show(stage string, done, total int) {
	if stage != p.stage {
		p.finish()
		p.stage = stage
		if !p.s.terminal() {
			p.s.say("%s ...", stage)
			return
		}
		p.bar = newBar(p.s.Err, stage, cmp.Or(total, -1))
	}
	if p.bar != nil {
		_ = p.bar.Set(done) // a bar that cannot be drawn must not stop the work
	}
}

// finish takes the bar away.
func (p *progress) finish() {
	if p.bar != nil {
		_ = p.bar.Finish() // which clears it and ends its spinner
		p.bar = nil
	}
	p.stage = ""
}

func newBar(w io.Writer, stage string, total int) *progressbar.ProgressBar {
	return progressbar.NewOptions(total,
		progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(stage),
		progressbar.OptionSetWidth(30), progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true),
		progressbar.OptionClearOnFinish(), progressbar.OptionSetRenderBlankState(true))
}
