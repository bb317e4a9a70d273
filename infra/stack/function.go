package stack

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"engage/internal/resource"
)

// Function is a Lambda function with a role and a log group of its own: in the
// network, traced, its environment encrypted, its failures in the dead-letter
// queue.
type Function struct {
	pulumi.ResourceState
	Function *lambda.Function
}

// functionSpec is how one function differs from the others.
type functionSpec struct {
	name        resource.Function
	environment map[resource.EnvVar]pulumi.StringInput
	may         []statement
}

// concurrency is how many at a time of one function may run: a run of the
// pipeline calls each once, and two runs refuse each other.
const concurrency = 5

func newFunction(s scope, k keys, n network, m messages, spec functionSpec) (*Function, error) {
	f, name := &Function{}, string(spec.name)
	if err := s.ctx.RegisterComponentResource("engage:aws:Function", name, f); err != nil {
		return nil, err
	}
	in := pulumi.Parent(f)
	group, err := newLogGroup(s, k, spec.name.LogGroup(), in)
	if err != nil {
		return nil, err
	}
	may := append(s.every(k, spec.name), spec.may...)
	role, err := newRole(s, spec.name.Role(), lambdaService, may, in)
	if err != nil {
		return nil, err
	}
	limits := spec.name.Limits()
	f.Function, err = lambda.NewFunction(s.ctx, name, &lambda.FunctionArgs{
		Name: pulumi.String(name), Role: role.Arn,
		Runtime: pulumi.String("provided.al2023"), Handler: pulumi.String("bootstrap"), Architectures: pulumi.StringArray{pulumi.String("x86_64")},
		Code:    pulumi.NewFileArchive(archive(s.cfg.Dist, spec.name)),
		Timeout: pulumi.Int(int(limits.Timeout.Seconds())), MemorySize: pulumi.Int(limits.MemoryMB),
		ReservedConcurrentExecutions: pulumi.Int(concurrency),
		KmsKeyArn:                    k[resource.ComputeKey].Arn,
		Environment:                  &lambda.FunctionEnvironmentArgs{Variables: variables(spec.environment)},
		TracingConfig:                &lambda.FunctionTracingConfigArgs{Mode: pulumi.String("Active")},
		DeadLetterConfig:             &lambda.FunctionDeadLetterConfigArgs{TargetArn: m.deadLetters.Arn},
		LoggingConfig:                &lambda.FunctionLoggingConfigArgs{LogFormat: pulumi.String("JSON"), LogGroup: group.Name},
		VpcConfig:                    &lambda.FunctionVpcConfigArgs{SubnetIds: n.subnetIDs(), SecurityGroupIds: pulumi.StringArray{n.functions.ID()}},
	}, in)
	if err != nil {
		return nil, err
	}
	return f, s.ctx.RegisterResourceOutputs(f, pulumi.Map{"arn": f.Function.Arn})
}

func variables(in map[resource.EnvVar]pulumi.StringInput) pulumi.StringMap {
	out := pulumi.StringMap{}
	for name, v := range in {
		out[string(name)] = v
	}
	return out
}

// every is what each function may do: write its log, send its traces, hand what
// it could not handle to the queue, and have its address in the network.
func (s scope) every(k keys, name resource.Function) []statement {
	return []statement{
		writeLogs(s, name.LogGroup()),
		trace(),
		{Sid: "DeadLetters", Actions: []string{"sqs:SendMessage"}, Resources: arns(s.env.QueueARN(resource.DeadLetters))},
		named("EncryptDeadLetters", encrypt(s, k[resource.MessageKey].Arn, "sqs")),
		named("DecryptEnvironment", encrypt(s, k[resource.ComputeKey].Arn, "lambda")),
		attach(),
	}
}

func named(sid string, st statement) statement {
	st.Sid = sid
	return st
}

// attach allows an address in the network; EC2 knows no resources for these.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
func attach() statement {
	return statement{
		Sid: "Attach",
		Actions: []string{
			"ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces",
			"ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses",
		},
		Resources: []pulumi.StringInput{pulumi.String("*")},
	}
}

func (n network) subnetIDs() pulumi.StringArray {
	ids := pulumi.StringArray{}
	for _, subnet := range n.subnets {
		ids = append(ids, subnet.ID())
	}
	return ids
}
