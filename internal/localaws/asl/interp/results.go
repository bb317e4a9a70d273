package interp

import (
	"context"
	"fmt"
	"strings"

	"engage/internal/localaws/asl"
	"engage/internal/localaws/asl/value"
)

// write puts the children's results into S3, one file for each status, and a manifest beside them.
// https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
func (d *distribution) write(ctx context.Context, input any) (any, error) {
	f := d.frame
	where, err := f.location(f.state.Map.Writer.Parameters, input)
	if err != nil {
		return nil, err
	}
	if f.Objects == nil {
		return nil, &Failure{Name: asl.ErrResultWriter, Cause: "There is no object store to write results to"}
	}
	bucket, prefix := textField(where, "Bucket"), strings.Trim(textField(where, "Prefix"), "/")
	if prefix != "" {
		prefix += "/"
	}
	prefix += d.run.ARN[strings.LastIndexByte(d.run.ARN, ':')+1:] + "/"
	f.waiting(func() { err = d.writeFiles(ctx, bucket, prefix) })
	if err != nil {
		return nil, &Failure{Name: asl.ErrResultWriter, Cause: err.Error()}
	}
	d.run.Items.Written, d.run.Executions.Written = d.run.Items.Total, d.run.Executions.Total
	return value.Of("MapRunArn", d.run.ARN, "ResultWriterDetails", value.Of("Bucket", bucket, "Key", prefix+"manifest.json")), nil
}

func (d *distribution) writeFiles(ctx context.Context, bucket, prefix string) error {
	files := value.NewObject(3)
	for _, status := range []Status{Failed, "PENDING", Succeeded} {
		list := []any{}
		if lines := d.results(status); len(lines) > 0 {
			key, body := fmt.Sprintf("%s%s_0.json", prefix, status), value.Encode(lines)
			if err := d.frame.Objects.Put(ctx, bucket, key, body); err != nil {
				return fmt.Errorf("write s3://%s/%s: %w", bucket, key, err)
			}
			list = append(list, value.Of("Key", key, "Size", int64(len(body))))
		}
		files.Set(string(status), list)
	}
	key := prefix + "manifest.json"
	body := value.Encode(value.Of("DestinationBucket", bucket, "MapRunArn", d.run.ARN, "ResultFiles", files))
	if err := d.frame.Objects.Put(ctx, bucket, key, body); err != nil {
		return fmt.Errorf("write s3://%s/%s: %w", bucket, key, err)
	}
	return nil
}

// results describes the children that ended with a status.
func (d *distribution) results(status Status) []any {
	var out []any
	for _, c := range d.children {
		if c.outcome.Status != status && !(status == Failed && c.outcome.Status == TimedOut) {
			continue
		}
		e := c.execution
		o := value.Of("ExecutionArn", e.ARN, "Input", value.String(e.Input), "InputDetails", value.Of("Included", true), "Name", e.Name)
		if status == Succeeded {
			o.Set("Output", value.String(c.outcome.Output))
			o.Set("OutputDetails", value.Of("Included", true))
		} else {
			o.Set("Error", c.outcome.Error)
			o.Set("Cause", c.outcome.Cause)
		}
		for _, f := range []struct{ k, v string }{{"RedriveStatus", "NOT_REDRIVABLE"}, {"StartDate", stamp(e.Start)}, {"StateMachineArn", e.MachineARN},
			{"Status", string(c.outcome.Status)}, {"StopDate", stamp(c.stop)}} {
			o.Set(f.k, f.v)
		}
		out = append(out, o)
	}
	return out
}
