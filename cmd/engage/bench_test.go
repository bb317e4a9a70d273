package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// asCommand makes the test binary behave as engage itself, so that a benchmark
// can measure whole processes.
const asCommand = "ENGAGE_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		os.Exit(runUntilSignal())
	}
	os.Exit(m.Run())
}

// benchRows lists the sizes of BenchmarkGenerate; the default is 100000,1000000.
const benchRows = "ENGAGE_BENCH_ROWS"

// BenchmarkGenerate measures "engage data generate" as a whole process, in both
// formats: customers a second and peak resident memory.
func BenchmarkGenerate(b *testing.B) {
	sizes := os.Getenv(benchRows)
	if sizes == "" {
		sizes = "100000,1000000"
	}
	for size := range strings.SplitSeq(sizes, ",") {
		rows, err := strconv.Atoi(size)
		if err != nil {
			b.Fatalf("%s: %v", benchRows, err)
		}
		b.Run(fmt.Sprintf("rows=%d", rows), func(b *testing.B) { benchmarkGenerate(b, rows) })
	}
}

func benchmarkGenerate(b *testing.B, rows int) {
	program, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	peak := int64(0)
	for b.Loop() {
		dir := filepath.Join(b.TempDir(), "data")
		c := exec.CommandContext(b.Context(), program, "data", "generate", "--rows", strconv.Itoa(rows), "--out", dir)
		c.Env = append(os.Environ(), asCommand+"=1")
		if out, err := c.CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
		peak = max(peak, c.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
		b.StopTimer()
		os.RemoveAll(dir)
		b.StartTimer()
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(peak)*1024/1e6, "peak-MB") // Linux counts in kB
}
