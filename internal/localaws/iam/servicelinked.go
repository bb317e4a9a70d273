package iam

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// servicePath is where service-linked roles are. Their names are the
// services': only through these operations are they made and deleted.
const servicePath = "/aws-service-role/"

// linkedNames are what AWS calls the roles of services whose names it writes
// in a way of its own; others are the service's name with a capital.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html
var linkedNames = map[string]string{
	"ecs": "AWSServiceRoleForECS", "ecs.application-autoscaling": "AWSServiceRoleForApplicationAutoScaling_ECSService", "spot": "AWSServiceRoleForEC2Spot",
	"elasticloadbalancing": "AWSServiceRoleForElasticLoadBalancing", "autoscaling": "AWSServiceRoleForAutoScaling", "replication.ecr": "AWSServiceRoleForECRReplication",
	"lambda": "AWSServiceRoleForLambda", "cloudtrail": "AWSServiceRoleForCloudTrail", "rds": "AWSServiceRoleForRDS", "eks": "AWSServiceRoleForAmazonEKS",
	"config": "AWSServiceRoleForConfig", "securityhub": "AWSServiceRoleForSecurityHub", "access-analyzer": "AWSServiceRoleForAccessAnalyzer",
	"ops.apigateway": "AWSServiceRoleForAPIGateway", "batch": "AWSServiceRoleForBatch", "guardduty": "AWSServiceRoleForAmazonGuardDuty",
}

var serviceForm = regexp.MustCompile(`^[a-z0-9.-]+\.amazonaws\.com$`)

type createLinkedInput struct {
	AWSServiceName string `required:"true" min:"1" max:"128"`
	Description    string `max:"1000"`
	CustomSuffix   string `max:"64"`
}

func linkedName(service, suffix string) (string, error) {
	if !serviceForm.MatchString(service) {
		return "", wire.Errorf("InvalidInput", "Service role name cannot be made: %s is not the name of a service", service)
	}
	short := strings.TrimSuffix(service, ".amazonaws.com")
	name, known := linkedNames[short]
	if !known {
		return "", wire.NotImplemented("the service-linked role of %s", service)
	}
	if suffix != "" {
		name += "_" + suffix
	}
	return name, nil
}

func (s *Service) createLinkedRole(ctx context.Context, call *wire.Call, in *createLinkedInput) (*oneRole, error) {
	name, err := linkedName(in.AWSServiceName, in.CustomSuffix)
	if err != nil {
		return nil, err
	}
	trust, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Action": []string{"sts:AssumeRole"}, "Effect": "Allow", "Principal": map[string]any{"Service": []string{in.AWSServiceName}},
	}}})
	if err != nil {
		return nil, err
	}
	out, err := s.createRole(ctx, call, &createRoleInput{
		RoleName: name, Path: servicePath + in.AWSServiceName + "/", AssumeRolePolicyDocument: string(trust), Description: in.Description,
	})
	if wire.IsCode(err, "EntityAlreadyExists") {
		return nil, wire.Errorf("InvalidInput", "Service role name %s has been taken in this account, please try a different suffix.", name)
	}
	return out, err
}

type deletionOutput struct{ DeletionTaskId string }

// deleteLinkedRole deletes at once: nothing here keeps such a role in use.
func (s *Service) deleteLinkedRole(_ context.Context, call *wire.Call, in *roleName) (*deletionOutput, error) {
	task := ""
	err := s.change(func(tx state.Tx) error {
		r, err := findRole(tx, call.Caller.Account, in.RoleName)
		if err != nil {
			return err
		}
		if !r.linked() {
			return wire.Errorf("InvalidInput", "Role %s is not a service-linked role.", r.Name)
		}
		task = "task" + r.Path + r.Name + "/" + r.ID
		return roles.Delete(tx, roleKey(r.Account, r.Name))
	})
	return &deletionOutput{task}, err
}

func (r *Role) linked() bool { return strings.HasPrefix(r.Path, servicePath) }

type deletionInput struct {
	DeletionTaskId string `required:"true" min:"1"`
}

type deletionStatus struct{ Status string }

func (s *Service) linkedDeletion(_ context.Context, call *wire.Call, in *deletionInput) (*deletionStatus, error) {
	parts := strings.Split(in.DeletionTaskId, "/")
	if len(parts) != 5 || parts[0] != "task" || parts[1] != "aws-service-role" {
		return nil, wire.Errorf("InvalidInput", "Deletion task id %s is invalid.", in.DeletionTaskId)
	}
	if r, err := s.role(call.Caller.Account, parts[3]); err == nil && r.ID == parts[4] {
		return nil, noSuchEntity("Deletion task %s cannot be found.", in.DeletionTaskId)
	}
	return &deletionStatus{"SUCCEEDED"}, nil
}
