package local_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// killRounds is how often the endpoint is killed; the default is 10.
const killRounds = "ENGAGE_KILL_ROUNDS"

// The things that the killed endpoint writes to, in its account.
const (
	killed     = "killed"
	killedARN  = "arn:aws:iam::" + account + ":role/" + killed
	machinesAt = "arn:aws:states:" + region + ":" + account + ":stateMachine:"
	executions = "arn:aws:states:" + region + ":" + account + ":execution:"
)

// writer writes its n-th thing, and says whether it was acknowledged.
type writer func(ctx context.Context, c *sdk, n int) error

// ledger is what was tried and acknowledged: names of writers, and the numbers of their writes.
type ledger struct {
	mu    sync.Mutex
	acked map[string][]int
	tried map[string]int
}

func (l *ledger) try(name string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tried[name]++
	return l.tried[name]
}

func (l *ledger) acknowledge(name string, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acked[name] = append(l.acked[name], n)
}

const objectKeys = 7 // objects are overwritten, so that a torn one would show

// objectBody is the n-th body of a key: n, and a length that depends on it.
func objectBody(n int) []byte { return bytes.Repeat(fmt.Appendf(nil, "%d;", n), 1+n*7919%20_000) }

var writers = map[string]writer{
	"object": func(ctx context.Context, c *sdk, n int) error {
		_, err := c.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(killed), Key: aws.String(fmt.Sprint("k", n%objectKeys)), Body: bytes.NewReader(objectBody(n))})
		return err
	},
	"event": func(ctx context.Context, c *sdk, n int) error {
		_, err := c.logs.PutLogEvents(ctx, &cloudwatchlogs.PutLogEventsInput{LogGroupName: aws.String(killed), LogStreamName: aws.String(killed),
			LogEvents: []logstypes.InputLogEvent{{Message: aws.String(fmt.Sprint(n)), Timestamp: aws.Int64(time.Now().UnixMilli())}}})
		return err
	},
	"message": func(ctx context.Context, c *sdk, n int) error {
		url := must(url.JoinPath(*c.config.BaseEndpoint, account, killed))
		_, err := c.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String(fmt.Sprint(n))})
		return err
	},
	"role": func(ctx context.Context, c *sdk, n int) error {
		_, err := c.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String(fmt.Sprint("r", n)), AssumeRolePolicyDocument: aws.String(trusts(""))})
		return err
	},
	"table": func(ctx context.Context, c *sdk, n int) error {
		_, err := c.glue.CreateTable(ctx, &glue.CreateTableInput{DatabaseName: aws.String(killed), TableInput: &gluetypes.TableInput{Name: aws.String(fmt.Sprint("t", n))}})
		return err
	},
	"short": func(ctx context.Context, c *sdk, n int) error { return startNth(ctx, c, "short", n) },
	"long":  func(ctx context.Context, c *sdk, n int) error { return startNth(ctx, c, "long", n) },
}

func startNth(ctx context.Context, c *sdk, machine string, n int) error {
	_, err := c.sfn.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: aws.String(machinesAt + machine), Name: aws.String(fmt.Sprint("x", n))})
	return err
}

// furnish makes what the writers write to.
func furnish(ctx context.Context, c *sdk) {
	furnishReplacers(ctx, c)
	name := aws.String(killed)
	must(c.s3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: name}))
	must(c.logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: name}))
	must(c.logs.CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{LogGroupName: name, LogStreamName: name}))
	must(c.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: name}))
	must(c.glue.CreateDatabase(ctx, &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: name}}))
	must(c.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: name, AssumeRolePolicyDocument: aws.String(trusts("states.amazonaws.com"))}))
	for machine, definition := range map[string]string{"short": passes, "long": waits} {
		must(c.sfn.CreateStateMachine(ctx, &sfn.CreateStateMachineInput{Name: &machine, Definition: &definition, RoleArn: aws.String(killedARN)}))
	}
}

// writeUntilKilled lets all writers write at once, and kills the endpoint when
// they have so many acknowledgements together.
func writeUntilKilled(ctx context.Context, p *process, l *ledger, after int) {
	c := newSDK(configOf(p.url, "test", "test", ""))
	var count atomic.Int64
	var dead atomic.Bool
	var running sync.WaitGroup
	all := maps.Clone(writers)
	maps.Copy(all, replacers)
	for name, write := range all {
		running.Go(func() {
			defer GinkgoRecover()
			for {
				n := l.try(name)
				if err := write(ctx, c, n); err != nil {
					Expect(dead.Load()).To(BeTrue(), "%s %d failed before the kill: %v", name, n, err)
					return
				}
				l.acknowledge(name, n)
				if count.Add(1) == int64(after) {
					dead.Store(true)
					p.kill()
				}
			}
		})
	}
	running.Wait()
}

// checkLedger looks for all that was ever acknowledged.
func checkLedger(ctx context.Context, c *sdk, l *ledger) {
	checkObjects(ctx, c, l)
	checkEach("event", l, eventNumbers(ctx, c))
	checkEach("message", l, messageNumbers(ctx, c))
	checkEach("role", l, roleNumbers(ctx, c))
	checkEach("table", l, tableNumbers(ctx, c))
	checkExecutions(ctx, c, l)
	checkReplacers(ctx, c, l)
}

// checkEach wants every acknowledged number once, and none that was not tried, or twice.
func checkEach(name string, l *ledger, found []int) {
	GinkgoHelper()
	there := map[int]bool{}
	for _, n := range found {
		Expect(there[n]).To(BeFalse(), "%s %d is there twice", name, n)
		Expect(n).To(BeNumerically("<=", l.tried[name]), "%s %d was never written", name, n)
		there[n] = true
	}
	for _, n := range l.acked[name] {
		Expect(there[n]).To(BeTrue(), "%s %d was acknowledged and is lost", name, n)
	}
}

func checkObjects(ctx context.Context, c *sdk, l *ledger) {
	GinkgoHelper()
	last := map[string]int{}
	for _, n := range l.acked["object"] {
		last[fmt.Sprint("k", n%objectKeys)] = n
	}
	for _, n := range l.acked["upload"] {
		last[fmt.Sprint("m", n%objectKeys)] = n
	}
	for _, o := range must(c.s3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String(killed)})).Contents {
		out := must(c.s3.GetObject(ctx, object(killed, *o.Key)))
		body := must(io.ReadAll(out.Body))
		out.Body.Close()
		number, _, _ := strings.Cut(string(body), ";")
		n := must(strconv.Atoi(number))
		Expect(bytes.Equal(body, objectBody(n))).To(BeTrue(), "%s is torn: %d bytes of write %d", *o.Key, len(body), n)
		Expect(*o.Size).To(BeEquivalentTo(len(body)))
		Expect(n).To(BeNumerically(">=", last[*o.Key]), "%s fell back", *o.Key)
		delete(last, *o.Key)
	}
	Expect(last).To(BeEmpty(), "acknowledged objects are lost")
}

func eventNumbers(ctx context.Context, c *sdk) (found []int) {
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(c.logs, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String(killed)})
	for pages.HasMorePages() {
		for _, e := range must(pages.NextPage(ctx)).Events {
			found = append(found, must(strconv.Atoi(*e.Message)))
		}
	}
	return found
}

// messageNumbers looks at all messages, and leaves them where they are.
func messageNumbers(ctx context.Context, c *sdk) (found []int) {
	url := must(c.sqs.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(killed)})).QueueUrl
	var handles []*string
	for {
		batch := must(c.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: 10, VisibilityTimeout: 600})).Messages
		if len(batch) == 0 {
			break
		}
		for _, m := range batch {
			found, handles = append(found, must(strconv.Atoi(*m.Body))), append(handles, m.ReceiptHandle)
		}
	}
	for _, h := range handles {
		must(c.sqs.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: url, ReceiptHandle: h, VisibilityTimeout: 0}))
	}
	return found
}

func roleNumbers(ctx context.Context, c *sdk) (found []int) {
	pages := iam.NewListRolesPaginator(c.iam, &iam.ListRolesInput{})
	for pages.HasMorePages() {
		for _, r := range must(pages.NextPage(ctx)).Roles {
			if number, ok := strings.CutPrefix(*r.RoleName, "r"); ok {
				found = append(found, must(strconv.Atoi(number)))
			}
		}
	}
	return found
}

func tableNumbers(ctx context.Context, c *sdk) (found []int) {
	pages := glue.NewGetTablesPaginator(c.glue, &glue.GetTablesInput{DatabaseName: aws.String(killed)})
	for pages.HasMorePages() {
		for _, t := range must(pages.NextPage(ctx)).TableList {
			found = append(found, must(strconv.Atoi((*t.Name)[1:])))
		}
	}
	return found
}

// checkExecutions wants every execution ended: as it should, or failed by the restart.
func checkExecutions(ctx context.Context, c *sdk, l *ledger) {
	GinkgoHelper()
	for _, machine := range []string{"short", "long"} {
		var found []int
		pages := sfn.NewListExecutionsPaginator(c.sfn, &sfn.ListExecutionsInput{StateMachineArn: aws.String(machinesAt + machine)})
		for pages.HasMorePages() {
			for _, x := range must(pages.NextPage(ctx)).Executions {
				found = append(found, must(strconv.Atoi((*x.Name)[1:])))
				Expect(x.Status).To(Or(Equal(types.ExecutionStatusFailed), Equal(types.ExecutionStatusSucceeded)), *x.ExecutionArn)
			}
		}
		checkEach(machine, l, found)
		for _, n := range l.acked[machine][max(0, len(l.acked[machine])-20):] { // those that the last kill may have hit
			d := must(c.sfn.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: aws.String(fmt.Sprintf("%s%s:x%d", executions, machine, n))}))
			if d.Status == types.ExecutionStatusFailed {
				Expect(*d.Cause).To(ContainSubstring("restarted"))
			} else {
				Expect(machine).To(Equal("short"), "%s ended by itself", *d.ExecutionArn)
			}
		}
	}
}

var _ = Describe("Killing the endpoint", Label("kill"), func() {
	It("loses nothing that was acknowledged, and shows nothing torn", func(ctx SpecContext) {
		rounds := 10
		if text := os.Getenv(killRounds); text != "" {
			rounds = must(strconv.Atoi(text))
		}
		dir, random := tempDir(), rand.New(rand.NewPCG(3, uint64(rounds)))
		l := &ledger{acked: map[string][]int{}, tried: map[string]int{}}
		p := must(spawn(dir))
		furnish(ctx, newSDK(configOf(p.url, "test", "test", "")))
		for round := range rounds {
			By(fmt.Sprint("kill ", round+1))
			writeUntilKilled(ctx, p, l, 1+random.IntN(250))
			p = must(spawn(dir))
			DeferCleanup(p.kill)
			checkLedger(ctx, newSDK(configOf(p.url, "test", "test", "")), l)
		}
		for name := range l.tried {
			Expect(rounds < 10 || len(l.acked[name]) > 0).To(BeTrue(), "no %s was ever acknowledged: the rounds show nothing of it", name)
		}
	})
})
