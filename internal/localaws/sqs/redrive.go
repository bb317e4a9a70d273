package sqs

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// moved is a finished move of dead letters. A move is one change of the state,
// so that none is ever seen to run.
type moved struct {
	ID, Source, Destination string
	Status, Reason          string
	Moved, ToMove           int
	Started                 int64
}

var moves = state.NewCollection[moved]("sqs/moves") // queue id, sequence

const maxMoves = 10

type startMoveInput struct {
	SourceArn      string `required:"true"`
	DestinationArn string
	PerSecond      *int `json:"MaxNumberOfMessagesPerSecond"`
}

type moveOutput struct{ TaskHandle string }

func moveHandle(m moved) string {
	text, err := json.Marshal(map[string]string{"taskId": m.ID, "sourceArn": m.Source})
	if err != nil {
		panic("sqs: a text cannot be written: " + err.Error())
	}
	return base64.StdEncoding.EncodeToString(text)
}

func errNoResource(message string) error {
	return coded("ResourceNotFoundException", "ResourceNotFoundException", "%s", message)
}

// startMove moves the messages of a dead-letter queue to the queues that they
// came from, or to another.
func (s *Service) startMove(_ context.Context, _ *wire.Call, in *startMoveInput) (*moveOutput, error) {
	if in.PerSecond != nil {
		return nil, wire.NotImplemented("MaxNumberOfMessagesPerSecond")
	}
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	task := moved{ID: id, Source: in.SourceArn, Destination: in.DestinationArn, Started: s.now()}
	told := map[string]bool{}
	err = s.cfg.Store.Update(func(tx state.Tx) error {
		from, err := s.deadQueue(tx, in.SourceArn)
		if err != nil {
			return err
		}
		if err := s.moveAll(tx, from, &task, told); err != nil {
			return err
		}
		return noteMove(tx, from, task)
	})
	for id := range told {
		s.news.tell(id)
	}
	return &moveOutput{moveHandle(task)}, err
}

// deadQueue returns a queue that another names as its dead-letter queue.
func (s *Service) deadQueue(tx state.Tx, arn string) (queue, error) {
	q, err := byARN(tx, arn)
	if err != nil {
		return q, errNoResource("The resource that you specified for the SourceArn parameter doesn't exist.")
	}
	all, err := queues.List(tx, state.Prefix(q.Account, q.Region), "", 0)
	for _, e := range all {
		if target, _, ok := e.Value.redrive(); ok && target == arn {
			return q, err
		}
	}
	if err == nil {
		err = errParameter("Source queue must be configured as a Dead Letter Queue.")
	}
	return q, err
}

func (s *Service) moveAll(tx state.Tx, from queue, task *moved, told map[string]bool) error {
	all, err := messages.List(tx, state.Prefix(from.ID), "", 0)
	if err != nil {
		return err
	}
	task.Status, task.ToMove = "COMPLETED", len(all)
	for _, e := range all {
		m := e.Value
		if m.Visible > s.now() {
			task.ToMove-- // what is in flight stays
			continue
		}
		arn := task.Destination
		if arn == "" {
			arn = m.Source
		}
		to, err := byARN(tx, arn)
		if arn == "" || err != nil {
			task.Status, task.Reason = "FAILED", "CouldNotDetermineMessageSource"
			if task.Destination != "" {
				return errNoResource("The resource that you specified for the DestinationArn parameter doesn't exist.")
			}
			return nil
		}
		if err := s.move(tx, from, to, m); err != nil {
			return err
		}
		task.Moved++
		told[to.ID] = true
	}
	return nil
}

// noteMove keeps the last moves from a queue.
func noteMove(tx state.Tx, from queue, task moved) error {
	n, err := moves.NextSequence(tx)
	if err != nil {
		return err
	}
	if err := moves.Put(tx, state.Key(from.ID, state.Ordinal(n)), task); err != nil {
		return err
	}
	all, err := moves.List(tx, state.Prefix(from.ID), "", 0)
	if err == nil && len(all) > maxMoves {
		err = moves.Delete(tx, all[0].Key)
	}
	return err
}

type listMovesInput struct {
	SourceArn  string `required:"true"`
	MaxResults *int   `min:"1" max:"10"`
}

type moveResult struct {
	Status         string
	SourceArn      string
	DestinationArn string `json:",omitempty"`
	Moved          int    `json:"ApproximateNumberOfMessagesMoved"`
	ToMove         int    `json:"ApproximateNumberOfMessagesToMove,omitempty"`
	FailureReason  string `json:",omitempty"`
	Started        int64  `json:"StartedTimestamp"`
}

type listMovesOutput struct {
	Results []moveResult `xml:"ListMessageMoveTasksResultEntry" list:"flat"`
}

// listMoves lists the newest first.
func (s *Service) listMoves(_ context.Context, _ *wire.Call, in *listMovesInput) (*listMovesOutput, error) {
	out, limit := &listMovesOutput{Results: []moveResult{}}, 1
	if in.MaxResults != nil {
		limit = *in.MaxResults
	}
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		q, err := byARN(tx, in.SourceArn)
		if err != nil {
			return errNoResource("The resource that you specified for the SourceArn parameter doesn't exist.")
		}
		all, err := moves.List(tx, state.Prefix(q.ID), "", 0)
		slices.Reverse(all)
		for _, e := range all[:min(limit, len(all))] {
			m := e.Value
			out.Results = append(out.Results, moveResult{m.Status, m.Source, m.Destination, m.Moved, m.ToMove, m.Reason, m.Started})
		}
		return err
	})
}

type cancelMoveInput struct {
	TaskHandle string `required:"true"`
}

// cancelMove finds nothing to cancel: a move is over when it is answered.
func (s *Service) cancelMove(_ context.Context, _ *wire.Call, in *cancelMoveInput) (*wire.Empty, error) {
	text, err := base64.StdEncoding.DecodeString(in.TaskHandle)
	var named struct{ TaskID, SourceArn string }
	if err != nil || json.Unmarshal(text, &named) != nil {
		return nil, errParameter("Value for parameter TaskHandle is invalid.")
	}
	return nil, errNoResource("Only active tasks can be cancelled.")
}

func touchMove[I any](s *Service, action string, arn func(*I) string) wire.Touches[I] {
	return func(call *wire.Call, in *I) []wire.Access {
		address := arn(in)
		if parts := strings.Split(address, ":"); len(parts) == 6 {
			address = parts[4] + "/" + parts[5]
		}
		return s.access(call, action, address)
	}
}
