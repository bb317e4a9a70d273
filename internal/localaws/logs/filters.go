package logs

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"engage/internal/localaws/logs/pattern"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// MetricTransformation says what a metric filter makes of an event.
type MetricTransformation struct {
	MetricName      string            `json:"metricName" required:"true" max:"255"`
	MetricNamespace string            `json:"metricNamespace" required:"true" max:"255"`
	MetricValue     string            `json:"metricValue" required:"true" max:"100"`
	DefaultValue    *float64          `json:"defaultValue,omitempty"`
	Dimensions      map[string]string `json:"dimensions,omitempty" max:"3"`
	Unit            string            `json:"unit,omitempty"`
}

// MetricFilter is a metric filter of a log group. It is kept and described;
// this endpoint has no metrics that it would feed.
type MetricFilter struct {
	FilterName             string                 `json:"filterName"`
	FilterPattern          string                 `json:"filterPattern"`
	LogGroupName           string                 `json:"logGroupName"`
	MetricTransformations  []MetricTransformation `json:"metricTransformations"`
	CreationTime           int64                  `json:"creationTime"`
	ApplyOnTransformedLogs bool                   `json:"applyOnTransformedLogs"`
}

var metricFilters = state.NewCollection[MetricFilter]("logs/metric-filters") // account, region, group, name

// maxMetricFilters is how many a group has at most.
const maxMetricFilters = 100

var errLimit = wire.Errorf("LimitExceededException", "Resource limit exceeded.")

// PutMetricFilterInput is the input of PutMetricFilter.
type PutMetricFilterInput struct {
	LogGroupName           string                 `json:"logGroupName" required:"true"`
	FilterName             string                 `json:"filterName" required:"true" max:"512"`
	FilterPattern          *string                `json:"filterPattern" required:"true" max:"1024"`
	MetricTransformations  []MetricTransformation `json:"metricTransformations" required:"true" min:"1" max:"1"`
	ApplyOnTransformedLogs bool                   `json:"applyOnTransformedLogs"`
}

func (in *PutMetricFilterInput) group() string { return in.LogGroupName }

func (s *Service) putMetricFilter(_ context.Context, call *wire.Call, in *PutMetricFilterInput) (*wire.Empty, error) {
	if in.ApplyOnTransformedLogs {
		return nil, wire.NotImplemented("applyOnTransformedLogs")
	}
	if _, err := parsePattern(*in.FilterPattern); err != nil {
		return nil, err
	}
	f := MetricFilter{FilterName: in.FilterName, FilterPattern: *in.FilterPattern, LogGroupName: in.LogGroupName,
		MetricTransformations: in.MetricTransformations, CreationTime: s.now()}
	return nil, s.cfg.Store.Update(func(tx state.Tx) error {
		if _, err := getGroup(tx, call.Caller, in.LogGroupName); err != nil {
			return err
		}
		key := streamKey(call.Caller, in.LogGroupName, in.FilterName)
		if !metricFilters.Has(tx, key) && countOf(tx, metricFilters, call.Caller, in.LogGroupName) >= maxMetricFilters {
			return errLimit
		}
		return metricFilters.Put(tx, key, f)
	})
}

// countOf counts what a collection has for a group.
func countOf[T any](tx state.Tx, c state.Collection[T], caller wire.Caller, group string) (n int) {
	for range c.Scan(tx, state.Prefix(caller.Account, caller.Region, group), "") {
		n++
	}
	return n
}

// DescribeMetricFiltersInput is the input of DescribeMetricFilters.
type DescribeMetricFiltersInput struct {
	LogGroupName     string `json:"logGroupName"`
	FilterNamePrefix string `json:"filterNamePrefix" max:"512"`
	MetricName       string `json:"metricName" max:"255"`
	MetricNamespace  string `json:"metricNamespace" max:"255"`
	Limit            *int   `json:"limit" min:"1" max:"50"`
	NextToken        string `json:"nextToken"`
}

func (in *DescribeMetricFiltersInput) group() string { return in.LogGroupName }

// DescribeMetricFiltersOutput is the output of DescribeMetricFilters.
type DescribeMetricFiltersOutput struct {
	MetricFilters []MetricFilter `json:"metricFilters"`
	NextToken     string         `json:"nextToken,omitempty"`
}

func (in *DescribeMetricFiltersInput) selects(f MetricFilter) bool {
	m := f.MetricTransformations[0]
	return strings.HasPrefix(f.FilterName, in.FilterNamePrefix) && (in.MetricName == "" || in.MetricName == m.MetricName) &&
		(in.MetricNamespace == "" || in.MetricNamespace == m.MetricNamespace)
}

func (s *Service) describeMetricFilters(_ context.Context, call *wire.Call, in *DescribeMetricFiltersInput) (*DescribeMetricFiltersOutput, error) {
	if (in.MetricName == "") != (in.MetricNamespace == "") {
		return nil, invalid("metricName and metricNamespace must be specified together.")
	}
	out, last := &DescribeMetricFiltersOutput{MetricFilters: []MetricFilter{}}, ""
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		within := state.Prefix(call.Caller.Account, call.Caller.Region)
		if in.LogGroupName != "" {
			if _, err := getGroup(tx, call.Caller, in.LogGroupName); err != nil {
				return err
			}
			within = state.Prefix(call.Caller.Account, call.Caller.Region, in.LogGroupName)
		}
		after := ""
		if group, name, ok := strings.Cut(in.NextToken, ":"); ok {
			after = streamKey(call.Caller, group, name)
		}
		for raw := range metricFilters.Scan(tx, within, after) {
			f, err := raw.Value()
			if err != nil {
				return err
			}
			if !in.selects(f) {
				continue
			}
			if len(out.MetricFilters) == pageSize(in.Limit) {
				out.NextToken = last
				return nil
			}
			out.MetricFilters, last = append(out.MetricFilters, f), f.LogGroupName+":"+f.FilterName
		}
		return nil
	})
}

// DeleteMetricFilterInput is the input of DeleteMetricFilter.
type DeleteMetricFilterInput struct {
	LogGroupName string `json:"logGroupName" required:"true"`
	FilterName   string `json:"filterName" required:"true" max:"512"`
}

func (in *DeleteMetricFilterInput) group() string { return in.LogGroupName }

func (s *Service) deleteMetricFilter(_ context.Context, call *wire.Call, in *DeleteMetricFilterInput) (*wire.Empty, error) {
	if err := checkGroupName(in.LogGroupName); err != nil {
		return nil, err
	}
	return nil, s.cfg.Store.Update(func(tx state.Tx) error {
		if _, err := getGroup(tx, call.Caller, in.LogGroupName); err != nil {
			return err
		}
		err := metricFilters.Delete(tx, streamKey(call.Caller, in.LogGroupName, in.FilterName))
		if errors.Is(err, state.ErrNotFound) {
			return wire.Errorf("ResourceNotFoundException", "The specified metric filter does not exist.")
		}
		return err
	})
}

// TestMetricFilterInput is the input of TestMetricFilter.
type TestMetricFilterInput struct {
	FilterPattern    *string  `json:"filterPattern" required:"true" max:"1024"`
	LogEventMessages []string `json:"logEventMessages" required:"true" min:"1" max:"50"`
}

// MetricFilterMatch is an event that a pattern selects.
type MetricFilterMatch struct {
	EventNumber     int               `json:"eventNumber"` // from 1
	EventMessage    string            `json:"eventMessage"`
	ExtractedValues map[string]string `json:"extractedValues"`
}

// TestMetricFilterOutput is the output of TestMetricFilter.
type TestMetricFilterOutput struct {
	Matches []MetricFilterMatch `json:"matches"`
}

// testMetricFilter extracts the fields of space-delimited patterns; of JSON it
// tells the event alone.
func (s *Service) testMetricFilter(_ context.Context, _ *wire.Call, in *TestMetricFilterInput) (*TestMetricFilterOutput, error) {
	p, err := parsePattern(*in.FilterPattern)
	if err != nil {
		return nil, err
	}
	out := &TestMetricFilterOutput{Matches: []MetricFilterMatch{}}
	for i, message := range in.LogEventMessages {
		if p.Match(message) {
			out.Matches = append(out.Matches, MetricFilterMatch{i + 1, message, p.Extract(message)})
		}
	}
	return out, nil
}

// compiled reads a pattern that was checked when it was kept.
func compiled(text string) pattern.Pattern {
	p, err := pattern.Parse(text)
	if err != nil {
		panic("logs: the kept pattern " + strconv.Quote(text) + " is none: " + err.Error())
	}
	return p
}
