package dynamodb_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"engage/internal/localaws/dynamodb"
	"engage/internal/localaws/kms"
	"engage/internal/localaws/server"
	"engage/internal/localaws/state"
)

// clock stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

type world struct {
	*sdk.Client
	service *dynamodb.Service
	server  *server.Server
	clock   *clock
}

func open(t testing.TB, dir string) (*world, func()) {
	t.Helper()
	store, err := state.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{clock: &clock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}}
	if w.server, err = server.New(server.Config{Addr: "127.0.0.1:0", Dir: dir}); err != nil {
		t.Fatal(err)
	}
	keys, err := kms.New(kms.Config{Store: store})
	if err != nil {
		t.Fatal(err)
	}
	w.service = dynamodb.New(dynamodb.Config{Store: store, Invoker: w.server, Clock: w.clock.Now, Meter: w.server.Meter()})
	w.server.Register(keys.API(), w.service.API())
	if err := w.server.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.Client = sdk.New(sdk.Options{Region: "eu-west-1", BaseEndpoint: aws.String(w.server.URL()), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")})
	return w, func() {
		if err := errors.Join(w.server.Shutdown(context.Background()), store.Close()); err != nil {
			t.Error(err)
		}
	}
}

func boot(t testing.TB) *world {
	w, stop := open(t, t.TempDir())
	t.Cleanup(stop)
	return w
}

type values = map[string]types.AttributeValue

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.Itoa(n)}
}

func keysOf(names ...string) []types.KeySchemaElement {
	out := []types.KeySchemaElement{{AttributeName: &names[0], KeyType: types.KeyTypeHash}}
	if len(names) > 1 {
		out = append(out, types.KeySchemaElement{AttributeName: &names[1], KeyType: types.KeyTypeRange})
	}
	return out
}

// define makes definitions of "name type" texts.
func define(all ...string) (out []types.AttributeDefinition) {
	for _, a := range all {
		name, kind, _ := strings.Cut(a, " ")
		out = append(out, types.AttributeDefinition{AttributeName: &name, AttributeType: types.ScalarAttributeType(kind)})
	}
	return out
}

// orders makes a table with a local and a global index.
func (w *world) orders(t testing.TB) {
	t.Helper()
	_, err := w.CreateTable(t.Context(), &sdk.CreateTableInput{TableName: aws.String("orders"), BillingMode: types.BillingModePayPerRequest,
		KeySchema: keysOf("pk", "sk"), AttributeDefinitions: define("pk S", "sk N", "state S", "amount N"),
		LocalSecondaryIndexes: []types.LocalSecondaryIndex{{IndexName: aws.String("byAmount"), KeySchema: keysOf("pk", "amount"),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly}}},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{IndexName: aws.String("byState"), KeySchema: keysOf("state", "amount"),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeInclude, NonKeyAttributes: []string{"note"}}}}})
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) put(t testing.TB, table string, item values) {
	t.Helper()
	if _, err := w.PutItem(t.Context(), &sdk.PutItemInput{TableName: &table, Item: item}); err != nil {
		t.Fatal(err)
	}
}

func (w *world) get(t testing.TB, table string, key values) values {
	t.Helper()
	out, err := w.GetItem(t.Context(), &sdk.GetItemInput{TableName: &table, Key: key, ConsistentRead: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	return out.Item
}

func wantError(t testing.TB, err error, code, words string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), words) {
		t.Errorf("got %v, want %s: %s", err, code, words)
	}
}
