package plane

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"engage/internal/localaws/provider/kind"
	"engage/internal/localaws/provider/sdk"
	"engage/internal/localaws/provider/value"
)

// functions returns the kinds of Lambda.
func functions(cfg Config, t sdk.Source) []kind.Kind {
	p := functionPlane{Config: cfg, api: lambda.NewFromConfig(cfg.AWS)}
	function := t.Kind("aws:lambda/function:Function", sdk.Overlay{
		Replace: []string{"name", "packageType"}, Name: map[string]kind.Naming{"name": {Max: 64}}, Set: []string{"vpcConfig.subnetIds", "vpcConfig.securityGroupIds"},
		Default: map[string]any{
			"memorySize": 128.0, "timeout": 3.0, "packageType": "Zip", "publish": false, "reservedConcurrentExecutions": -1.0, "skipDestroy": false,
		},
		Computed: []string{"architectures", "ephemeralStorage", "loggingConfig", "tracingConfig", "sourceCodeHash", "vpcConfig.vpcId", "loggingConfig.logGroup"},
		Unused: []string{
			"codeSigningConfigArn", "fileSystemConfig", "imageConfig", "imageUri", "layers", "publish", "replaceSecurityGroupsOnDestroy",
			"replacementSecurityGroupIds", "skipDestroy", "snapStart", "sourceCodeHash", "vpcConfig.ipv6AllowedForDualStack", "vpcConfig.vpcId",
		},
		Enum: map[string]string{"packageType": "Zip"},
	})
	p.kind = function
	function.Plane = ops{p.create, p.read, p.update, p.delete}
	permission := t.Kind("aws:lambda/permission:Permission", sdk.Overlay{
		Replace: []string{"action", "eventSourceToken", "function", "functionUrlAuthType", "principal", "principalOrgId", "qualifier", "sourceAccount", "sourceArn", "statementId"},
		Name:    map[string]kind.Naming{"statementId": {Max: 100}}, Unused: []string{"statementIdPrefix", "eventSourceToken", "functionUrlAuthType"},
	})
	permission.Plane = ops{p.permit, p.readPermission, nil, p.forbid}
	return []kind.Kind{function, permission}
}

type functionPlane struct {
	Config
	api  *lambda.Client
	kind kind.Kind
}

// create makes the function of the archive that the program names.
func (p functionPlane) create(ctx context.Context, in value.Map) (string, value.Map, error) {
	req := &lambda.CreateFunctionInput{}
	if err := fill(p.settings(in), req); err != nil {
		return "", nil, err
	}
	name := value.String(in, "name")
	code, err := p.code(in)
	if err != nil {
		return "", nil, err
	}
	req.FunctionName, req.Code, req.Tags = &name, code, value.StringMap(in, "tags")
	req.Architectures = architectures(in)
	if _, err := p.api.CreateFunction(ctx, req); err != nil {
		return "", nil, err
	}
	out, err := p.describe(ctx, name)
	if err != nil {
		return name, value.Map{}, err
	}
	return made(name, p.kind.Computed(out), func() error { return p.reserve(ctx, name, in) })
}

// settings are the properties that the service calls by other names, or takes
// elsewhere, put right.
func (p functionPlane) settings(in value.Map) value.Map {
	out := value.Merge(in)
	for _, name := range []string{"code", "name", "tags", "publish", "architectures"} {
		delete(out, name)
	}
	if c := value.Object(in, "ephemeralStorage"); c != nil {
		out["ephemeralStorage"] = value.Map{"size": c["size"]}
	}
	return out
}

func architectures(in value.Map) []types.Architecture {
	var out []types.Architecture
	for _, a := range value.Strings(in, "architectures") {
		out = append(out, types.Architecture(a))
	}
	return out
}

// code is the archive: from the program's own files, or from S3.
func (p functionPlane) code(in value.Map) (*types.FunctionCode, error) {
	if bucket := value.String(in, "s3Bucket"); bucket != "" {
		return &types.FunctionCode{S3Bucket: &bucket, S3Key: text(in, "s3Key"), S3ObjectVersion: optional(value.String(in, "s3ObjectVersion"))}, nil
	}
	f, ok := in["code"].(value.File)
	if !ok {
		return nil, fmt.Errorf("code: no archive is given; give code, or s3Bucket and s3Key")
	}
	info, err := os.Stat(f.Path)
	if err != nil {
		return nil, fmt.Errorf("code: %w", err)
	}
	if info.IsDir() {
		return nil, fmt.Errorf("code: %s is a directory; give a zip file", f.Path)
	}
	zip, err := os.ReadFile(f.Path)
	if err != nil {
		return nil, fmt.Errorf("code: %w", err)
	}
	return &types.FunctionCode{ZipFile: zip}, nil
}

func (p functionPlane) reserve(ctx context.Context, name string, in value.Map) error {
	n := value.Int(in, "reservedConcurrentExecutions")
	if n < 0 {
		_, err := p.api.DeleteFunctionConcurrency(ctx, &lambda.DeleteFunctionConcurrencyInput{FunctionName: &name})
		return err
	}
	_, err := p.api.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{FunctionName: &name, ReservedConcurrentExecutions: aws.Int32(int32(n))})
	return err
}

// read tells what the function is. The code is told by its hash: an archive that
// was put elsewhere than through the program is a change.
func (p functionPlane) read(ctx context.Context, id string, state value.Map) (value.Map, error) {
	now, err := p.describe(ctx, id)
	if err != nil {
		return nil, err
	}
	if was := value.String(state, "codeSha256"); was != "" && was != now["codeSha256"] {
		now["code"] = value.File{Path: "changed elsewhere", Hash: value.String(now, "codeSha256"), Archive: true}
	}
	return now, nil
}

func (p functionPlane) describe(ctx context.Context, id string) (value.Map, error) {
	res, err := p.api.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: &id})
	if err != nil {
		return nil, err
	}
	c := res.Configuration
	out, err := tell(p.kind.Inputs, c)
	if err != nil {
		return nil, err
	}
	reserved := -1.0
	if res.Concurrency != nil && res.Concurrency.ReservedConcurrentExecutions != nil {
		reserved = float64(*res.Concurrency.ReservedConcurrentExecutions)
	}
	arn := aws.ToString(c.FunctionArn)
	return value.Merge(out, value.Map{
		"name": id, "arn": arn, "codeSha256": aws.ToString(c.CodeSha256), "sourceCodeHash": aws.ToString(c.CodeSha256), "sourceCodeSize": int(c.CodeSize),
		"lastModified": aws.ToString(c.LastModified), "version": aws.ToString(c.Version), "qualifiedArn": arn + ":" + aws.ToString(c.Version),
		"invokeArn":          "arn:" + p.Partition + ":apigateway:" + p.AWS.Region + ":lambda:path/2015-03-31/functions/" + arn + "/invocations",
		"qualifiedInvokeArn": "arn:" + p.Partition + ":apigateway:" + p.AWS.Region + ":lambda:path/2015-03-31/functions/" + arn + ":" + aws.ToString(c.Version) + "/invocations",
		"signingJobArn":      "", "signingProfileVersionArn": "", "reservedConcurrentExecutions": reserved, "tags": value.FromStringMap(res.Tags),
	}), nil
}

func (p functionPlane) update(ctx context.Context, id string, old, in value.Map) (value.Map, error) {
	req := &lambda.UpdateFunctionConfigurationInput{}
	if err := fill(p.settings(in), req); err != nil {
		return nil, err
	}
	req.FunctionName = &id
	p.clear(old, in, req)
	if _, err := p.api.UpdateFunctionConfiguration(ctx, req); err != nil {
		return nil, err
	}
	if err := p.replaceCode(ctx, id, old, in); err != nil {
		return nil, err
	}
	if err := p.reserve(ctx, id, in); err != nil {
		return nil, err
	}
	if err := p.tag(ctx, value.String(old, "arn"), old, in); err != nil {
		return nil, err
	}
	out, err := p.describe(ctx, id)
	return p.kind.Computed(out), err
}

// clear empties what the program took out: what an update leaves out stays.
func (p functionPlane) clear(old, in value.Map, req *lambda.UpdateFunctionConfigurationInput) {
	gone := func(name string) bool { return old[name] != nil && in[name] == nil }
	if gone("environment") {
		req.Environment = &types.Environment{Variables: map[string]string{}}
	}
	if gone("deadLetterConfig") {
		req.DeadLetterConfig = &types.DeadLetterConfig{TargetArn: aws.String("")}
	}
	if gone("vpcConfig") {
		req.VpcConfig = &types.VpcConfig{SubnetIds: []string{}, SecurityGroupIds: []string{}}
	}
	if gone("description") {
		req.Description = aws.String("")
	}
	if gone("kmsKeyArn") {
		req.KMSKeyArn = aws.String("")
	}
}

func (p functionPlane) replaceCode(ctx context.Context, id string, old, in value.Map) error {
	same := value.Equal(old["code"], in["code"]) && old["s3Key"] == in["s3Key"] && old["s3Bucket"] == in["s3Bucket"] &&
		old["s3ObjectVersion"] == in["s3ObjectVersion"] && fmt.Sprint(old["architectures"]) == fmt.Sprint(in["architectures"])
	if same {
		return nil
	}
	code, err := p.code(in)
	if err != nil {
		return err
	}
	_, err = p.api.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{
		FunctionName: &id, ZipFile: code.ZipFile, S3Bucket: code.S3Bucket, S3Key: code.S3Key, S3ObjectVersion: code.S3ObjectVersion, Architectures: architectures(in),
	})
	return err
}

func (p functionPlane) tag(ctx context.Context, arn string, old, in value.Map) error {
	set, drop := tagChange(old, in)
	if len(drop) > 0 {
		if _, err := p.api.UntagResource(ctx, &lambda.UntagResourceInput{Resource: &arn, TagKeys: drop}); err != nil {
			return err
		}
	}
	if len(set) == 0 {
		return nil
	}
	_, err := p.api.TagResource(ctx, &lambda.TagResourceInput{Resource: &arn, Tags: set})
	return err
}

func (p functionPlane) delete(ctx context.Context, id string, _ value.Map) error {
	_, err := p.api.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: &id})
	return err
}

// A permission's identifier is its statement's.
func (p functionPlane) permit(ctx context.Context, in value.Map) (string, value.Map, error) {
	id := value.String(in, "statementId")
	_, err := p.api.AddPermission(ctx, &lambda.AddPermissionInput{
		FunctionName: text(in, "function"), StatementId: &id, Action: text(in, "action"), Principal: text(in, "principal"),
		SourceArn: optional(value.String(in, "sourceArn")), SourceAccount: optional(value.String(in, "sourceAccount")),
		PrincipalOrgID: optional(value.String(in, "principalOrgId")), Qualifier: optional(value.String(in, "qualifier")),
	})
	if err != nil {
		return "", nil, err
	}
	return id, nil, nil
}

func (p functionPlane) readPermission(ctx context.Context, id string, state value.Map) (value.Map, error) {
	res, err := p.api.GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: text(state, "function"), Qualifier: optional(value.String(state, "qualifier"))})
	if err != nil {
		return nil, err
	}
	var doc struct{ Statement []struct{ Sid string } }
	if err := json.Unmarshal([]byte(aws.ToString(res.Policy)), &doc); err != nil {
		return nil, fmt.Errorf("policy of %s: %w", value.String(state, "function"), err)
	}
	for _, st := range doc.Statement {
		if st.Sid == id {
			return value.Map{"statementId": id}, nil
		}
	}
	return nil, kind.ErrNotFound
}

func (p functionPlane) forbid(ctx context.Context, id string, state value.Map) error {
	_, err := p.api.RemovePermission(ctx, &lambda.RemovePermissionInput{
		FunctionName: text(state, "function"), StatementId: &id, Qualifier: optional(value.String(state, "qualifier")),
	})
	return err
}
