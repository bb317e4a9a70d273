package local_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// dynamo is a client of DynamoDB for a caller.
func (s *sdk) dynamo() *dynamodb.Client { return dynamodb.NewFromConfig(s.config) }

type attributes = map[string]types.AttributeValue

func str(s string) types.AttributeValue  { return &types.AttributeValueMemberS{Value: s} }
func num(n string) types.AttributeValue  { return &types.AttributeValueMemberN{Value: n} }
func film(year, title string) attributes { return attributes{"year": num(year), "title": str(title)} }

func hashKey(name string) types.KeySchemaElement {
	return types.KeySchemaElement{AttributeName: &name, KeyType: types.KeyTypeHash}
}

func rangeKey(name string) types.KeySchemaElement {
	return types.KeySchemaElement{AttributeName: &name, KeyType: types.KeyTypeRange}
}

func keyAttribute(name string, kind types.ScalarAttributeType) types.AttributeDefinition {
	return types.AttributeDefinition{AttributeName: &name, AttributeType: kind}
}

// films makes a table of films by year and title, with an index by genre.
func films(ctx context.Context, change ...func(*dynamodb.CreateTableInput)) (name *string) {
	GinkgoHelper()
	in := &dynamodb.CreateTableInput{TableName: aws.String(unique("films")), BillingMode: types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{hashKey("year"), rangeKey("title")},
		AttributeDefinitions: []types.AttributeDefinition{keyAttribute("year", "N"), keyAttribute("title", "S"), keyAttribute("genre", "S")},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{IndexName: aws.String("byGenre"), KeySchema: []types.KeySchemaElement{hashKey("genre"), rangeKey("title")},
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll}}}}
	for _, f := range change {
		f(in)
	}
	must(root.dynamo().CreateTable(ctx, in))
	Expect(dynamodb.NewTableExistsWaiter(root.dynamo()).Wait(ctx, &dynamodb.DescribeTableInput{TableName: in.TableName}, time.Minute)).To(Succeed())
	return in.TableName
}

var _ = Describe("DynamoDB", func() {
	It("puts, gets, updates and deletes items with expressions", func(ctx SpecContext) {
		db, table := root.dynamo(), films(ctx)
		item := film("2015", "Big")
		item["info"] = &types.AttributeValueMemberM{Value: attributes{"rating": num("5.50"), "actors": &types.AttributeValueMemberL{Value: []types.AttributeValue{str("Larry"), str("Moe")}}}}
		must(db.PutItem(ctx, &dynamodb.PutItemInput{TableName: table, Item: item}))
		_, err := db.PutItem(ctx, &dynamodb.PutItemInput{TableName: table, Item: item, ConditionExpression: aws.String("attribute_not_exists(title)")})
		Expect(err).To(refuseWith("ConditionalCheckFailedException", "The conditional request failed"))
		updated := must(db.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: table, Key: film("2015", "Big"), ReturnValues: types.ReturnValueUpdatedNew,
			UpdateExpression: aws.String("SET info.rating = info.rating + :one REMOVE info.actors[0]"), ExpressionAttributeValues: attributes{":one": num("1")}})).Attributes
		Expect(updated["info"].(*types.AttributeValueMemberM).Value).To(Equal(attributes{"rating": num("6.5"), "actors": &types.AttributeValueMemberL{Value: []types.AttributeValue{str("Moe")}}}))
		got := must(db.GetItem(ctx, &dynamodb.GetItemInput{TableName: table, Key: film("2015", "Big"), ProjectionExpression: aws.String("#y, info.actors[0]"), ExpressionAttributeNames: map[string]string{"#y": "year"}})).Item
		Expect(got).To(HaveLen(2))
		old := must(db.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: table, Key: film("2015", "Big"), ReturnValues: types.ReturnValueAllOld})).Attributes
		Expect(old).To(HaveLen(3))
		Expect(must(db.GetItem(ctx, &dynamodb.GetItemInput{TableName: table, Key: film("2015", "Big")})).Item).To(BeNil())
	})

	It("queries tables and indexes, page by page", func(ctx SpecContext) {
		db, table := root.dynamo(), films(ctx)
		var batch []types.WriteRequest
		for i := range 20 {
			item := film(fmt.Sprint(2000+i%2), fmt.Sprintf("film %02d", i))
			item["genre"] = str([]string{"drama", "comedy"}[i%4/2])
			batch = append(batch, types.WriteRequest{PutRequest: &types.PutRequest{Item: item}})
		}
		Expect(must(db.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{*table: batch}})).UnprocessedItems).To(BeEmpty())
		titles := func(in *dynamodb.QueryInput) (all []string) {
			in.TableName, in.Limit = table, aws.Int32(3)
			for pages := dynamodb.NewQueryPaginator(db, in); pages.HasMorePages(); {
				for _, item := range must(pages.NextPage(ctx)).Items {
					all = append(all, item["title"].(*types.AttributeValueMemberS).Value)
				}
			}
			return all
		}
		Expect(titles(&dynamodb.QueryInput{KeyConditionExpression: aws.String("#y = :y AND title BETWEEN :a AND :b"), ExpressionAttributeNames: map[string]string{"#y": "year"},
			ExpressionAttributeValues: attributes{":y": num("2001"), ":a": str("film 04"), ":b": str("film 09")}, ScanIndexForward: aws.Bool(false)})).To(Equal([]string{"film 09", "film 07", "film 05"}))
		Expect(titles(&dynamodb.QueryInput{IndexName: aws.String("byGenre"), KeyConditionExpression: aws.String("genre = :g"), FilterExpression: aws.String("contains(#y, :y) OR #y = :y"),
			ExpressionAttributeNames: map[string]string{"#y": "year"}, ExpressionAttributeValues: attributes{":g": str("comedy"), ":y": num("2000")}})).To(HaveLen(5))
		Expect(must(db.Scan(ctx, &dynamodb.ScanInput{TableName: table, Select: types.SelectCount})).Count).To(BeEquivalentTo(20))
	})

	It("writes a transaction as a whole, or tells why not", func(ctx SpecContext) {
		db, table := root.dynamo(), films(ctx)
		must(db.PutItem(ctx, &dynamodb.PutItemInput{TableName: table, Item: film("1", "a")}))
		_, err := db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
			{Put: &types.Put{TableName: table, Item: film("1", "b")}},
			{ConditionCheck: &types.ConditionCheck{TableName: table, Key: film("1", "a"), ConditionExpression: aws.String("attribute_exists(genre)")}}}})
		Expect(err).To(refuseWith("TransactionCanceledException", "[None, ConditionalCheckFailed]"))
		var cancelled *types.TransactionCanceledException
		Expect(errors.As(err, &cancelled)).To(BeTrue())
		Expect(*cancelled.CancellationReasons[1].Message).To(Equal("The conditional request failed"))
		got := must(db.TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{
			{Get: &types.Get{TableName: table, Key: film("1", "a")}}, {Get: &types.Get{TableName: table, Key: film("1", "b")}}}})).Responses
		Expect(got).To(HaveLen(2))
		Expect(got[1].Item).To(BeNil())
	})

	It("keeps the settings of a table, and deletes it", func(ctx SpecContext) {
		db := root.dynamo()
		key := must(root.kms.CreateKey(ctx, &kms.CreateKeyInput{})).KeyMetadata
		table := films(ctx, func(in *dynamodb.CreateTableInput) {
			in.SSESpecification = &types.SSESpecification{Enabled: aws.Bool(true), SSEType: types.SSETypeKms, KMSMasterKeyId: key.KeyId}
			in.Tags, in.DeletionProtectionEnabled = []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}, aws.Bool(true)
		})
		described := must(db.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: table})).Table
		Expect(*described.SSEDescription.KMSMasterKeyArn).To(Equal(*key.Arn))
		Expect(described.BillingModeSummary.BillingMode).To(Equal(types.BillingModePayPerRequest))
		Expect(must(db.ListTagsOfResource(ctx, &dynamodb.ListTagsOfResourceInput{ResourceArn: described.TableArn})).Tags).To(HaveLen(1))
		must(db.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{TableName: table, TimeToLiveSpecification: &types.TimeToLiveSpecification{Enabled: aws.Bool(true), AttributeName: aws.String("until")}}))
		Expect(must(db.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: table})).TimeToLiveDescription.TimeToLiveStatus).To(Equal(types.TimeToLiveStatusEnabled))
		must(db.UpdateContinuousBackups(ctx, &dynamodb.UpdateContinuousBackupsInput{TableName: table, PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(true)}}))
		backups := must(db.DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: table})).ContinuousBackupsDescription
		Expect(backups.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus).To(Equal(types.PointInTimeRecoveryStatusEnabled))
		_, err := db.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: table})
		Expect(err).To(refuseWith("ValidationException", "protected against deletion"))
		must(db.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: table, DeletionProtectionEnabled: aws.Bool(false)}))
		must(db.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: table}))
		Expect(dynamodb.NewTableNotExistsWaiter(db).Wait(ctx, &dynamodb.DescribeTableInput{TableName: table}, time.Minute)).To(Succeed())
	})

	It("lets a caller touch only its own items, and denies by name", func(ctx SpecContext) {
		table := films(ctx)
		arn := "arn:aws:dynamodb:" + region + ":" + account + ":table/" + *table
		own := as(ctx, fmt.Sprintf(`{"Effect":"Allow","Action":["dynamodb:PutItem","dynamodb:Query"],"Resource":%q,"Condition":{"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":["1"]}}}`, arn)).dynamo()
		must(own.PutItem(ctx, &dynamodb.PutItemInput{TableName: table, Item: film("1", "a")}))
		_, err := own.PutItem(ctx, &dynamodb.PutItemInput{TableName: table, Item: film("2", "a")})
		Expect(err).To(refuseWith("AccessDeniedException", "dynamodb:PutItem on resource: "+arn))
		_, err = own.Query(ctx, &dynamodb.QueryInput{TableName: table, IndexName: aws.String("byGenre"), KeyConditionExpression: aws.String("genre = :g"), ExpressionAttributeValues: attributes{":g": str("1")}})
		Expect(err).To(refuseWith("AccessDeniedException", "dynamodb:Query on resource: "+arn+"/index/byGenre"))
		_, err = own.GetItem(ctx, &dynamodb.GetItemInput{TableName: table, Key: film("1", "a")})
		Expect(err).To(refuseWith("AccessDeniedException", "dynamodb:GetItem"))
	})

	It("is read and written by state machines", func(ctx SpecContext) {
		table := films(ctx)
		definition := fmt.Sprintf(`{"StartAt":"Put","States":{
			"Put":{"Type":"Task","Resource":"arn:aws:states:::dynamodb:putItem","ResultPath":null,"Next":"Count","Parameters":{"TableName":%[1]q,"Item":{"year":{"N.$":"States.Format('{}',$.year)"},"title":{"S":"x"}}}},
			"Count":{"Type":"Task","Resource":"arn:aws:states:::dynamodb:updateItem","ResultPath":null,"Next":"Get","Parameters":{"TableName":%[1]q,"Key":{"year":{"N":"7"},"title":{"S":"x"}},"UpdateExpression":"ADD seen :n","ExpressionAttributeValues":{":n":{"N":"3"}}}},
			"Get":{"Type":"Task","Resource":"arn:aws:states:::dynamodb:getItem","ResultSelector":{"seen.$":"$.Item.seen.N"},"ResultPath":"$.got","Next":"Again","Parameters":{"TableName":%[1]q,"Key":{"year":{"N":"7"},"title":{"S":"x"}}}},
			"Again":{"Type":"Task","Resource":"arn:aws:states:::dynamodb:putItem","End":true,"Parameters":{"TableName":%[1]q,"Item":{"year":{"N":"7"},"title":{"S":"x"}},"ConditionExpression":"attribute_not_exists(title)"},
				"Catch":[{"ErrorEquals":["DynamoDB.ConditionalCheckFailedException"],"ResultPath":null,"Next":"Known"}]},
			"Known":{"Type":"Pass","OutputPath":"$.got","End":true}}}`, *table)
		done := ended(ctx, execute(ctx, root, machine(ctx, definition, allow("*", "dynamodb:PutItem", "dynamodb:GetItem", "dynamodb:UpdateItem")), `{"year":7}`))
		Expect(done.Status).To(Equal(sfntypes.ExecutionStatusSucceeded), aws.ToString(done.Cause))
		Expect(*done.Output).To(MatchJSON(`{"seen":"3"}`))
	})
})
