package local_test

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"engage/internal/localaws"
	"engage/internal/localaws/server"
	"engage/internal/localaws/state"
)

var _ = Describe("Restarting the endpoint", func() {
	It("keeps everything", func(ctx SpecContext) {
		dir := tempDir()
		one := open(dir)
		c := newSDK(one.config("test", "test", ""))
		name := aws.String("kept")
		must(c.s3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: name}))
		Expect(put(ctx, c.s3, *name, "k", "text")).To(Succeed())
		roleArn := must(c.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: name, AssumeRolePolicyDocument: aws.String(trusts(""))})).Role.Arn
		must(c.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: name, PolicyName: name, PolicyDocument: aws.String(policy(allow("*", "s3:GetObject")))}))
		session := must(c.sts.AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: roleArn, RoleSessionName: name})).Credentials
		machineRole := must(c.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("machine"), AssumeRolePolicyDocument: aws.String(trusts("states.amazonaws.com"))})).Role.Arn
		key := must(c.kms.CreateKey(ctx, &kms.CreateKeyInput{})).KeyMetadata.KeyId
		secret := must(c.kms.Encrypt(ctx, &kms.EncryptInput{KeyId: key, Plaintext: []byte("secret")})).CiphertextBlob
		url := must(c.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: name})).QueueUrl
		must(c.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("message")}))
		must(c.logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: name}))
		must(c.logs.CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{LogGroupName: name, LogStreamName: name}))
		must(c.logs.PutLogEvents(ctx, &cloudwatchlogs.PutLogEventsInput{LogGroupName: name, LogStreamName: name, LogEvents: []logstypes.InputLogEvent{
			{Message: aws.String("line"), Timestamp: aws.Int64(time.Now().UnixMilli())}}}))
		m := must(c.sfn.CreateStateMachine(ctx, &sfn.CreateStateMachineInput{Name: name, Definition: aws.String(waits), RoleArn: machineRole})).StateMachineArn
		x := must(c.sfn.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: m})).ExecutionArn
		Expect(one.Close(ctx)).To(Succeed())

		two := open(dir)
		DeferCleanup(two.Close)
		c = newSDK(two.config("test", "test", ""))
		Expect(must(get(ctx, newSDK(two.config(*session.AccessKeyId, *session.SecretAccessKey, *session.SessionToken)).s3, object(*name, "k")))).To(Equal("text"))
		Expect(string(must(c.kms.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: secret})).Plaintext)).To(Equal("secret"))
		queueURL := must(c.sqs.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: name})).QueueUrl
		Expect(must(c.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queueURL})).Messages).To(HaveLen(1))
		lines := must(c.logs.FilterLogEvents(ctx, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: name})).Events
		Expect(lines).To(HaveLen(1))
		Expect(*lines[0].Message).To(Equal("line"))
		d := must(c.sfn.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: x}))
		Expect(d.Status).To(Equal(types.ExecutionStatusFailed))
		Expect(*d.Cause).To(ContainSubstring("restarted"))
	})

	It("refuses a directory that is in use, a port that is taken, and a state file that is damaged", func(ctx SpecContext) {
		_, err := localaws.Open(localaws.Config{Addr: "127.0.0.1:0", Dir: here.dir})
		var locked *state.LockedError
		Expect(errors.As(err, &locked)).To(BeTrue(), "%v", err)
		two := must(localaws.Open(localaws.Config{Addr: here.URL()[len("http://"):], Dir: tempDir()}))
		var taken *server.PortTakenError
		err = two.Start(ctx)
		Expect(errors.As(err, &taken)).To(BeTrue(), "%v", err)
		Expect(two.Close(ctx)).To(Succeed())

		dir := tempDir()
		Expect(open(dir).Close(ctx)).To(Succeed())
		files := must(filepath.Glob(filepath.Join(dir, "*.db")))
		Expect(files).To(HaveLen(1))
		Expect(os.WriteFile(files[0], []byte("not a database"), 0o600)).To(Succeed())
		_, err = localaws.Open(localaws.Config{Addr: "127.0.0.1:0", Dir: dir})
		var corrupt *state.CorruptError
		Expect(errors.As(err, &corrupt)).To(BeTrue(), "%v", err)
	})
})
