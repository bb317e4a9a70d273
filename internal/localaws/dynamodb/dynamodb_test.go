package dynamodb_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"engage/internal/localaws/server"
	"engage/internal/localaws/wire"
)

func TestItemsSurviveReopening(t *testing.T) {
	dir := t.TempDir()
	w, stop := open(t, dir)
	w.orders(t)
	item := values{"pk": text("a\x00b"), "sk": number(-1), "set": &types.AttributeValueMemberNS{Value: []string{"2", "1"}}, "b": &types.AttributeValueMemberB{Value: []byte{0}},
		"l": &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberNULL{Value: true}, &types.AttributeValueMemberM{Value: values{}}}}}
	w.put(t, "orders", item)
	stop()
	w, stop = open(t, dir)
	defer stop()
	got := w.get(t, "orders", values{"pk": text("a\x00b"), "sk": number(-1)})
	if len(got) != len(item) || got["set"].(*types.AttributeValueMemberNS).Value[0] != "2" || len(got["l"].(*types.AttributeValueMemberL).Value) != 2 {
		t.Errorf("got %v", got)
	}
}

// order is one item of the model that the next test compares with.
type order struct {
	pk, state  string
	sk, amount int
	indexed    bool
}

// Whatever is written, each index has what a look at all items finds.
func TestIndexesAgreeWithItems(t *testing.T) {
	w := boot(t)
	w.orders(t)
	r := rand.New(rand.NewPCG(5, 6))
	model := map[string]order{}
	for range 300 {
		o := order{pk: fmt.Sprint("p", r.IntN(3)), sk: r.IntN(12) - 6, state: fmt.Sprint("s", r.IntN(2)), amount: (r.IntN(40) - 20) * 100, indexed: r.IntN(4) > 0}
		w.change(t, r.IntN(3), o, model)
	}
	for _, pk := range []string{"p0", "p1", "p2"} {
		w.compare(t, nil, "pk", pk, "sk", func(o order) (string, int, bool) { return o.pk, o.sk, true }, model)
		w.compare(t, aws.String("byAmount"), "pk", pk, "amount", func(o order) (string, int, bool) { return o.pk, o.amount, o.indexed }, model)
	}
	for _, state := range []string{"s0", "s1"} {
		w.compare(t, aws.String("byState"), "state", state, "amount", func(o order) (string, int, bool) { return o.state, o.amount, o.indexed }, model)
	}
	w.compareTotals(t, model)
}

func (w *world) change(t *testing.T, what int, o order, model map[string]order) {
	key := values{"pk": text(o.pk), "sk": number(o.sk)}
	id := fmt.Sprint(o.pk, o.sk)
	var err error
	switch what {
	case 0:
		_, err = w.DeleteItem(t.Context(), &sdk.DeleteItemInput{TableName: aws.String("orders"), Key: key})
		delete(model, id)
	case 1:
		in := &sdk.UpdateItemInput{TableName: aws.String("orders"), Key: key, UpdateExpression: aws.String("REMOVE amount SET #s = :s"),
			ExpressionAttributeNames: map[string]string{"#s": "state"}, ExpressionAttributeValues: values{":s": text(o.state)}}
		if o.indexed {
			in.UpdateExpression, in.ExpressionAttributeValues[":a"] = aws.String("SET amount = :a, #s = :s"), number(o.amount)
		}
		_, err = w.UpdateItem(t.Context(), in)
		model[id] = o
	default:
		item := maps.Clone(key)
		item["state"] = text(o.state)
		if o.indexed {
			item["amount"] = number(o.amount)
		}
		w.put(t, "orders", item)
		model[id] = o
	}
	if err != nil {
		t.Fatal(err)
	}
}

// compare queries a partition forwards and backwards, in small pages and by
// ranges of the sort key.
func (w *world) compare(t *testing.T, index *string, hash, value, sort string, of func(order) (string, int, bool), model map[string]order) {
	t.Helper()
	var want []int
	for _, o := range model {
		if h, s, there := of(o); there && h == value {
			want = append(want, s)
		}
	}
	slices.Sort(want)
	names := map[string]string{"#h": hash, "#s": sort}
	ask := func(condition string, forward bool, operands ...int) []int {
		in := &sdk.QueryInput{TableName: aws.String("orders"), IndexName: index, ScanIndexForward: &forward, Limit: aws.Int32(3),
			KeyConditionExpression: aws.String("#h = :h AND #s " + condition), ExpressionAttributeNames: names, ExpressionAttributeValues: values{":h": text(value)}}
		for i, n := range operands {
			in.ExpressionAttributeValues[fmt.Sprint(":", i)] = number(n)
		}
		var got []int
		for pages := sdk.NewQueryPaginator(w, in); pages.HasMorePages(); {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, item := range page.Items {
				n, _ := strconv.Atoi(item[sort].(*types.AttributeValueMemberN).Value)
				got = append(got, n)
			}
		}
		if !forward {
			slices.Reverse(got)
		}
		return got
	}
	keep := func(f func(int) bool) []int {
		return slices.DeleteFunc(slices.Clone(want), func(n int) bool { return !f(n) })
	}
	for _, c := range []struct {
		condition string
		operands  []int
		want      []int
	}{
		{"> :0", []int{-99999}, want}, {"< :0", []int{3}, keep(func(n int) bool { return n < 3 })}, {"<= :0", []int{0}, keep(func(n int) bool { return n <= 0 })},
		{">= :0", []int{-100}, keep(func(n int) bool { return n >= -100 })}, {"= :0", []int{2}, keep(func(n int) bool { return n == 2 })},
		{"BETWEEN :0 AND :1", []int{-200, 4}, keep(func(n int) bool { return n >= -200 && n <= 4 })},
	} {
		for _, forward := range []bool{true, false} {
			if got := ask(c.condition, forward, c.operands...); !slices.Equal(got, c.want) {
				t.Errorf("%s=%s, %s %s%v, forward %v: got %v, want %v", hash, value, sort, c.condition, c.operands, forward, got, c.want)
			}
		}
	}
}

func (w *world) compareTotals(t *testing.T, model map[string]order) {
	t.Helper()
	d, err := w.DescribeTable(t.Context(), &sdk.DescribeTableInput{TableName: aws.String("orders")})
	if err != nil {
		t.Fatal(err)
	}
	indexed := int64(0)
	for _, o := range model {
		if o.indexed {
			indexed++
		}
	}
	if *d.Table.ItemCount != int64(len(model)) || *d.Table.GlobalSecondaryIndexes[0].ItemCount != indexed || *d.Table.LocalSecondaryIndexes[0].ItemCount != indexed {
		t.Errorf("got %d, %d and %d items, want %d and %d", *d.Table.ItemCount, *d.Table.GlobalSecondaryIndexes[0].ItemCount, *d.Table.LocalSecondaryIndexes[0].ItemCount, len(model), indexed)
	}
}

// Sort keys of any bytes have the order of their bytes, and prefixes find what they begin.
func TestSortKeysOfAnyBytes(t *testing.T) {
	w := boot(t)
	if _, err := w.CreateTable(t.Context(), &sdk.CreateTableInput{TableName: aws.String("bytes"), BillingMode: types.BillingModePayPerRequest, KeySchema: keysOf("pk", "sk"), AttributeDefinitions: define("pk S", "sk B")}); err != nil {
		t.Fatal(err)
	}
	all := []string{"\x00", "\x00\x00", "\x00\x01", "\x00\xff", "\x01", "a", "a\x00", "a\x00\x00b", "a\x01", "ab", "\xff", "\xff\x00", "\xff\xff", "\xff\xffz"}
	binary := func(s string) types.AttributeValue { return &types.AttributeValueMemberB{Value: []byte(s)} }
	for _, i := range rand.New(rand.NewPCG(7, 8)).Perm(len(all)) {
		w.put(t, "bytes", values{"pk": text("p"), "sk": binary(all[i])})
	}
	ask := func(condition, operand string) (got []string) {
		out, err := w.Query(t.Context(), &sdk.QueryInput{TableName: aws.String("bytes"), KeyConditionExpression: aws.String("pk = :p AND " + condition), ExpressionAttributeValues: values{":p": text("p"), ":v": binary(operand)}})
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range out.Items {
			got = append(got, string(item["sk"].(*types.AttributeValueMemberB).Value))
		}
		return got
	}
	for _, v := range all {
		for condition, holds := range map[string]func(string) bool{
			"sk = :v": func(s string) bool { return s == v }, "sk < :v": func(s string) bool { return s < v }, "sk >= :v": func(s string) bool { return s >= v },
			"sk <= :v": func(s string) bool { return s <= v }, "sk > :v": func(s string) bool { return s > v }, "begins_with(sk, :v)": func(s string) bool { return strings.HasPrefix(s, v) },
		} {
			want := slices.DeleteFunc(slices.Clone(all), func(s string) bool { return !holds(s) })
			if got := ask(condition, v); !slices.Equal(got, want) {
				t.Errorf("%s with %q: got %q, want %q", condition, v, got, want)
			}
		}
	}
}

func TestSegmentsCoverTheTableOnce(t *testing.T) {
	w := boot(t)
	w.orders(t)
	for i := range 60 {
		w.put(t, "orders", values{"pk": text(fmt.Sprint(i)), "sk": number(i), "state": text("s"), "amount": number(i)})
	}
	for _, index := range []*string{nil, aws.String("byState")} {
		seen := map[string]int{}
		for segment := range int32(7) {
			pages := sdk.NewScanPaginator(w, &sdk.ScanInput{TableName: aws.String("orders"), IndexName: index, Segment: &segment, TotalSegments: aws.Int32(7), Limit: aws.Int32(4)})
			for pages.HasMorePages() {
				page, err := pages.NextPage(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				for _, item := range page.Items {
					seen[item["pk"].(*types.AttributeValueMemberS).Value]++
				}
			}
		}
		if len(seen) != 60 || slices.Max(slices.Collect(maps.Values(seen))) != 1 {
			t.Errorf("the segments have %d items, some up to %d times", len(seen), slices.Max(slices.Collect(maps.Values(seen))))
		}
	}
}

func TestPageEndsAtOneMegabyte(t *testing.T) {
	w := boot(t)
	w.orders(t)
	pad := text(strings.Repeat("x", 300_000))
	for i := range 5 {
		w.put(t, "orders", values{"pk": text("p"), "sk": number(i), "pad": pad})
	}
	in := &sdk.QueryInput{TableName: aws.String("orders"), KeyConditionExpression: aws.String("pk = :p"), ExpressionAttributeValues: values{":p": text("p")}, Select: types.SelectCount}
	out, err := w.Query(t.Context(), in)
	if err != nil || out.Count != 3 || out.LastEvaluatedKey == nil || out.Items != nil {
		t.Fatalf("got %+v %v", out, err)
	}
	in.ExclusiveStartKey = out.LastEvaluatedKey
	if out, err = w.Query(t.Context(), in); err != nil || out.Count != 2 || out.LastEvaluatedKey != nil {
		t.Errorf("got %+v %v", out, err)
	}
}

func TestConcurrentIncrementsAllCount(t *testing.T) {
	w := boot(t)
	w.orders(t)
	key := values{"pk": text("p"), "sk": number(1)}
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			_, err := w.UpdateItem(t.Context(), &sdk.UpdateItemInput{TableName: aws.String("orders"), Key: key, UpdateExpression: aws.String("ADD hits :one"), ExpressionAttributeValues: values{":one": number(1)}})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := w.get(t, "orders", key)["hits"].(*types.AttributeValueMemberN).Value; got != "50" {
		t.Errorf("got %s", got)
	}
}

func put(pk string, condition *string) types.TransactWriteItem {
	return types.TransactWriteItem{Put: &types.Put{TableName: aws.String("orders"), Item: values{"pk": text(pk), "sk": number(1)}, ConditionExpression: condition,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld}}
}

func TestTransactionIsAllOrNothing(t *testing.T) {
	w := boot(t)
	w.orders(t)
	w.put(t, "orders", values{"pk": text("there"), "sk": number(1), "n": number(7)})
	fresh := aws.String("attribute_not_exists(pk)")
	_, err := w.TransactWriteItems(t.Context(), &sdk.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{put("new", nil), put("there", fresh)}})
	wantError(t, err, "TransactionCanceledException", "Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed]")
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) || len(cancelled.CancellationReasons) != 2 || cancelled.CancellationReasons[1].Item["n"] == nil {
		t.Errorf("got %+v", cancelled)
	}
	if got := w.get(t, "orders", values{"pk": text("new"), "sk": number(1)}); got != nil {
		t.Errorf("a cancelled transaction wrote %v", got)
	}
	_, err = w.TransactWriteItems(t.Context(), &sdk.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{put("x", nil), put("x", nil)}})
	wantError(t, err, "ValidationException", "Transaction request cannot include multiple operations on one item")
}

func TestClientTokenStandsForOneTransaction(t *testing.T) {
	w := boot(t)
	w.orders(t)
	key := values{"pk": text("p"), "sk": number(1)}
	add := func(token, n string) error {
		_, err := w.TransactWriteItems(t.Context(), &sdk.TransactWriteItemsInput{ClientRequestToken: &token, TransactItems: []types.TransactWriteItem{{Update: &types.Update{
			TableName: aws.String("orders"), Key: key, UpdateExpression: aws.String("ADD hits :n"), ExpressionAttributeValues: values{":n": &types.AttributeValueMemberN{Value: n}}}}}})
		return err
	}
	hits := func() string { return w.get(t, "orders", key)["hits"].(*types.AttributeValueMemberN).Value }
	if err := errors.Join(add("t", "1"), add("t", "1")); err != nil || hits() != "1" {
		t.Errorf("got %v, %s hits", err, hits())
	}
	wantError(t, add("t", "2"), "IdempotentParameterMismatchException", "")
	w.clock.move(11 * time.Minute)
	if err := add("t", "2"); err != nil || hits() != "3" {
		t.Errorf("after the token's time: got %v, %s hits", err, hits())
	}
}

func TestExpiredItemsAreSwept(t *testing.T) {
	w := boot(t)
	w.orders(t)
	now := int(w.clock.Now().Unix())
	item := func(pk string, at int) values { return values{"pk": text(pk), "sk": number(1), "until": number(at)} }
	w.put(t, "orders", item("before", now+10)) // there before the setting
	if _, err := w.UpdateTimeToLive(t.Context(), &sdk.UpdateTimeToLiveInput{TableName: aws.String("orders"),
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("until"), Enabled: aws.Bool(true)}}); err != nil {
		t.Fatal(err)
	}
	w.put(t, "orders", item("soon", now+20))
	w.put(t, "orders", item("later", now+1000))
	w.put(t, "orders", item("mistake", now-6*365*24*3600))
	w.put(t, "orders", item("prolonged", now+5))
	w.put(t, "orders", item("prolonged", now+1000))
	w.put(t, "orders", values{"pk": text("text"), "sk": number(1), "until": text("1")})
	w.clock.move(30 * time.Second)
	if n, err := w.service.Sweep(); n != 2 || err != nil {
		t.Errorf("got %d %v", n, err)
	}
	if n, err := w.service.Sweep(); n != 0 || err != nil {
		t.Errorf("again: got %d %v", n, err)
	}
	out, err := w.Scan(t.Context(), &sdk.ScanInput{TableName: aws.String("orders")})
	if err != nil || out.Count != 4 {
		t.Errorf("got %+v %v", out.Items, err)
	}
}

func TestRunSweepsUntilItIsStopped(t *testing.T) {
	w := boot(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.service.Run(ctx, func(err error) { t.Error(err) })
	}()
	cancel()
	<-done
}

func TestNewIndexHasOldItems(t *testing.T) {
	w := boot(t)
	w.orders(t)
	for i := range 5 {
		w.put(t, "orders", values{"pk": text("p"), "sk": number(i), "kind": text("k")})
	}
	w.put(t, "orders", values{"pk": text("p"), "sk": number(9), "kind": number(1)}) // of another type than the index wants
	update := func(u types.GlobalSecondaryIndexUpdate, definitions ...string) types.TableDescription {
		out, err := w.UpdateTable(t.Context(), &sdk.UpdateTableInput{TableName: aws.String("orders"), AttributeDefinitions: define(definitions...), GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{u}})
		if err != nil {
			t.Fatal(err)
		}
		return *out.TableDescription
	}
	d := update(types.GlobalSecondaryIndexUpdate{Create: &types.CreateGlobalSecondaryIndexAction{IndexName: aws.String("byKind"), KeySchema: keysOf("kind"), Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll}}}, "kind S")
	if d.TableStatus != types.TableStatusUpdating || d.GlobalSecondaryIndexes[1].IndexStatus != types.IndexStatusCreating {
		t.Errorf("got %s %s", d.TableStatus, d.GlobalSecondaryIndexes[1].IndexStatus)
	}
	out, err := w.Scan(t.Context(), &sdk.ScanInput{TableName: aws.String("orders"), IndexName: aws.String("byKind")})
	if err != nil || out.Count != 5 {
		t.Errorf("got %d %v", out.Count, err)
	}
	d = update(types.GlobalSecondaryIndexUpdate{Delete: &types.DeleteGlobalSecondaryIndexAction{IndexName: aws.String("byState")}})
	if len(d.GlobalSecondaryIndexes) != 2 || d.GlobalSecondaryIndexes[1].IndexStatus != types.IndexStatusDeleting || *d.GlobalSecondaryIndexes[1].IndexName != "byState" {
		t.Errorf("got %+v", d.GlobalSecondaryIndexes)
	}
	after, _ := w.DescribeTable(t.Context(), &sdk.DescribeTableInput{TableName: aws.String("orders")})
	if len(after.Table.GlobalSecondaryIndexes) != 1 || len(after.Table.AttributeDefinitions) != 4 { // pk, sk, amount, kind
		t.Errorf("got %+v", after.Table)
	}
}

// An index shows the newest projected attributes, and costs nothing when only others change.
func TestProjectionsFollowTheirItems(t *testing.T) {
	w := boot(t)
	w.orders(t)
	w.put(t, "orders", values{"pk": text("p"), "sk": number(1), "state": text("s"), "amount": number(5), "note": text("old"), "extra": text("old")})
	set := func(name string) float64 {
		out, err := w.UpdateItem(t.Context(), &sdk.UpdateItemInput{TableName: aws.String("orders"), Key: values{"pk": text("p"), "sk": number(1)}, ReturnConsumedCapacity: types.ReturnConsumedCapacityIndexes,
			UpdateExpression: aws.String("SET " + name + " = :v"), ExpressionAttributeValues: values{":v": text("new")}})
		if err != nil {
			t.Fatal(err)
		}
		return *out.ConsumedCapacity.CapacityUnits
	}
	if note, other := set("note"), set("extra"); note != 2 || other != 1 {
		t.Errorf("got %v and %v units, want 2 (with the index) and 1", note, other)
	}
	out, err := w.Query(t.Context(), &sdk.QueryInput{TableName: aws.String("orders"), IndexName: aws.String("byState"), KeyConditionExpression: aws.String("#s = :s"),
		ExpressionAttributeNames: map[string]string{"#s": "state"}, ExpressionAttributeValues: values{":s": text("s")}})
	if err != nil || len(out.Items) != 1 || len(out.Items[0]) != 5 || out.Items[0]["note"].(*types.AttributeValueMemberS).Value != "new" {
		t.Errorf("got %v %v", out, err)
	}
}

func TestCapacityIsToldAndMetered(t *testing.T) {
	w := boot(t)
	w.orders(t)
	item := values{"pk": text("p"), "sk": number(1), "state": text("s"), "amount": number(5), "pad": text(strings.Repeat("x", 5000))}
	out, err := w.PutItem(t.Context(), &sdk.PutItemInput{TableName: aws.String("orders"), Item: item, ReturnConsumedCapacity: types.ReturnConsumedCapacityIndexes})
	if err != nil || *out.ConsumedCapacity.CapacityUnits != 7 || *out.ConsumedCapacity.Table.CapacityUnits != 5 ||
		*out.ConsumedCapacity.GlobalSecondaryIndexes["byState"].CapacityUnits != 1 || *out.ConsumedCapacity.LocalSecondaryIndexes["byAmount"].CapacityUnits != 1 {
		t.Errorf("got %+v %v", out, err)
	}
	read, err := w.GetItem(t.Context(), &sdk.GetItemInput{TableName: aws.String("orders"), Key: values{"pk": text("p"), "sk": number(1)}, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal})
	if err != nil || *read.ConsumedCapacity.CapacityUnits != 1 { // two units of 4 KB, half of each
		t.Errorf("got %+v %v", read, err)
	}
	_, err = w.DeleteItem(t.Context(), &sdk.DeleteItemInput{TableName: aws.String("orders"), Key: values{"pk": text("p"), "sk": number(1)}, ConditionExpression: aws.String("attribute_not_exists(pk)")})
	wantError(t, err, "ConditionalCheckFailedException", "The conditional request failed")
	got := map[string]float64{}
	for _, q := range w.server.Usage().Read(server.Query{}) {
		got[q.Usage+" "+q.Resource] = q.Amount
	}
	if got["WriteRequestUnits orders"] != 7+5 || // the failed condition counts as a write
		got["ReadRequestUnits orders"] != 1 {
		t.Errorf("got %v", got)
	}
}

func TestWhatIsNotSupportedIsRefusedByName(t *testing.T) {
	w := boot(t)
	_, err := w.ExecuteStatement(t.Context(), &sdk.ExecuteStatementInput{Statement: aws.String("SELECT * FROM x")})
	wantError(t, err, "NotImplemented", "ExecuteStatement")
	_, err = w.CreateTable(t.Context(), &sdk.CreateTableInput{TableName: aws.String("stream"), KeySchema: keysOf("a"), AttributeDefinitions: define("a S"),
		BillingMode: types.BillingModePayPerRequest, StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewImage}})
	wantError(t, err, "NotImplemented", "StreamSpecification")
	w.orders(t)
	_, err = w.UpdateTable(t.Context(), &sdk.UpdateTableInput{TableName: aws.String("orders"), ReplicaUpdates: []types.ReplicationGroupUpdate{{Create: &types.CreateReplicationGroupMemberAction{RegionName: aws.String("x")}}}})
	wantError(t, err, "NotImplemented", "ReplicaUpdates")
	_, err = w.PutItem(t.Context(), &sdk.PutItemInput{TableName: aws.String("orders"), Item: values{}, ReturnConsumedCapacity: "WRONG"})
	wantError(t, err, "ValidationException", "'returnConsumedCapacity' failed to satisfy constraint")
}

func TestAccessNamesTablesIndexesAndLeadingKeys(t *testing.T) {
	w := boot(t)
	w.orders(t)
	call := &wire.Call{Service: w.service.API(), Caller: wire.Root(wire.DefaultAccount, "eu-west-1")}
	for name, c := range map[string]struct{ in, action, resource, key string }{
		"PutItem":            {`{"TableName":"orders","Item":{"pk":{"S":"me"},"sk":{"N":"1"}}}`, "PutItem", "table/orders", "me"},
		"Query":              {`{"TableName":"orders","IndexName":"byState","KeyConditionExpression":"#s = :s","ExpressionAttributeNames":{"#s":"state"},"ExpressionAttributeValues":{":s":{"S":"new"}}}`, "Query", "table/orders/index/byState", "new"},
		"BatchWriteItem":     {`{"RequestItems":{"orders":[{"DeleteRequest":{"Key":{"pk":{"S":"me"},"sk":{"N":"1"}}}}]}}`, "BatchWriteItem", "table/orders", "me"},
		"TransactWriteItems": {`{"TransactItems":[{"ConditionCheck":{"TableName":"orders","Key":{"pk":{"S":"me"},"sk":{"N":"1"}},"ConditionExpression":"attribute_exists(pk)"}}]}`, "ConditionCheckItem", "table/orders", "me"},
		"TransactGetItems":   {`{"TransactItems":[{"Get":{"TableName":"arn:aws:dynamodb:eu-west-1:000000000000:table/orders","Key":{"pk":{"S":"me"},"sk":{"N":"1"}}}}]}`, "GetItem", "table/orders", "me"},
		"Scan":               {`{"TableName":"orders"}`, "Scan", "table/orders", ""},
	} {
		op := call.Service.Operation(name)
		call.Body = []byte(c.in)
		in, err := op.Decode(call)
		if err != nil {
			t.Fatal(err)
		}
		got := op.Accesses(call, in)
		if len(got) != 1 || got[0].Action != "dynamodb:"+c.action || got[0].Resource != call.ARN("dynamodb", c.resource) || strings.Join(got[0].Conditions["dynamodb:LeadingKeys"], " ") != c.key {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}
