package localaws_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

const trailGroup = "arn:aws:logs:us-east-1:000000000000:log-group:trail:*"

// trailRole makes a role that the service may take on, to do what actions say.
func (a *audited) trailRole(t *testing.T, name, action string) *string {
	t.Helper()
	role := do[*iam.CreateRoleOutput](t)(a.iam.CreateRole(t.Context(), &iam.CreateRoleInput{
		RoleName: &name, AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},
"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceAccount":"000000000000"}}}]}`),
	}))
	do[*iam.PutRolePolicyOutput](t)(a.iam.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{
		RoleName: &name, PolicyName: aws.String("p"), PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"` + action + `","Resource":"` + trailGroup + `"}]}`),
	}))
	return role.Role.Arn
}

func TestTrailToLogGroup(t *testing.T) {
	a := openAudited(t, t.TempDir())
	a.begin(t, trailPolicy)
	groups := cloudwatchlogs.New(cloudwatchlogs.Options{Region: "us-east-1", BaseEndpoint: aws.String(a.URL()),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")})
	role := a.trailRole(t, "trail", "logs:PutLogEvents")
	to := &sdk.UpdateTrailInput{Name: aws.String("audit"), CloudWatchLogsLogGroupArn: aws.String(trailGroup), CloudWatchLogsRoleArn: role}
	if _, err := a.trails.UpdateTrail(t.Context(), to); err == nil || !strings.Contains(err.Error(), "InvalidCloudWatchLogsLogGroupArn") {
		t.Fatalf("a log group that is not there was taken: %v", err)
	}
	do[*cloudwatchlogs.CreateLogGroupOutput](t)(groups.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("trail")}))
	got := do[*sdk.UpdateTrailOutput](t)(a.trails.UpdateTrail(t.Context(), to))
	if aws.ToString(got.CloudWatchLogsLogGroupArn) != trailGroup || aws.ToString(got.CloudWatchLogsRoleArn) != *role {
		t.Errorf("the trail has %+v", got)
	}
	a.act(t)
	a.clean(t) // delivers first
	events := do[*cloudwatchlogs.FilterLogEventsOutput](t)(groups.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: aws.String("trail"), FilterPattern: aws.String(`{ $.eventName = "GetRole" && $.errorCode = "*" }`),
	}))
	if len(events.Events) != 1 || aws.ToString(events.Events[0].LogStreamName) != "000000000000_CloudTrail_us-east-1" {
		t.Errorf("the log group has %+v", events.Events)
	}
}
