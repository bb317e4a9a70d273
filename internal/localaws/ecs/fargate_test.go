package ecs

import (
	"reflect"
	"testing"
)

func TestFargateSizes(t *testing.T) {
	for _, c := range []struct {
		cpu, memory string
		fits        bool
	}{
		{"256", "512", true}, {"256", "1024", true}, {"256", "2048", true}, {"256", "1536", false}, {".25 vCPU", "0.5 GB", true},
		{"512", "1024", true}, {"512", "4096", true}, {"512", "5120", false}, {"1024", "1024", false}, {"1 vCPU", "8GB", true},
		{"2048", "4096", true}, {"2048", "17408", false}, {"4096", "30720", true}, {"8192", "16384", true}, {"8192", "17408", false},
		{"16384", "122880", true}, {"16384", "33792", false}, {"300", "512", false}, {"x", "512", false}, {"256", "-1", false}, {"", "512", false},
	} {
		if _, _, err := checkSize(c.cpu, c.memory); (err == nil) != c.fits {
			t.Errorf("%s CPU, %s memory: got %v", c.cpu, c.memory, err)
		}
	}
}

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		strategy []strategyItem
		count    int
		want     []string
	}{
		{[]strategyItem{{"A", 1, 0}, {"B", 1, 0}}, 4, []string{"A", "B", "A", "B"}},
		{[]strategyItem{{"A", 0, 2}, {"B", 1, 0}}, 3, []string{"A", "A", "B"}},
		{[]strategyItem{{"A", 1, 0}, {"B", 0, 0}}, 2, []string{"A", "A"}},
		{[]strategyItem{{"A", 0, 0}}, 1, nil},
	} {
		got, err := spread(c.strategy, c.count)
		if !reflect.DeepEqual(got, c.want) && err == nil || (err != nil) != (c.want == nil) {
			t.Errorf("%v: got %v %v", c.strategy, got, err)
		}
	}
}

func TestLongLinesAreSplit(t *testing.T) {
	var got []int
	w := newLogWriter(func(events []LogEvent) error {
		for _, e := range events {
			got = append(got, len(e.Message))
		}
		return nil
	}, RealClock{}, false)
	w.Write(make([]byte, 2*maxEvent+5))
	w.Write([]byte("\r\n\n"))
	w.close()
	if !reflect.DeepEqual(got, []int{maxEvent, maxEvent, 5}) {
		t.Errorf("got %v", got)
	}
}
