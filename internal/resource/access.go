package resource

// Role is the name of an IAM role.
type Role string

// The roles of services; each function and task has one of
// its own, [Function.Role] and [TaskDefinition.Role].
const (
	StepFunctionsRole Role = "step-functions-execution-role" // assumed by the state machines
	ECSExecutionRole  Role = "ecs-execution-role"            // pulls images, writes logs
	AgentRole         Role = "bedrock-agent-role"            // assumed by the agent and its knowledge base
	ScheduleRole      Role = "schedule-role"                 // starts what the schedules start
	FlowLogsRole      Role = "vpc-flow-logs-role"            // writes flow logs to CloudWatch
	TrailRole         Role = "cloudtrail-role"               // writes the trail to CloudWatch
)

// Roles lists every role.
func Roles() []Role {
	roles := []Role{StepFunctionsRole, ECSExecutionRole, AgentRole, ScheduleRole, FlowLogsRole, TrailRole}
	for _, f := range Functions() {
		roles = append(roles, f.Role())
	}
	for _, t := range TaskDefinitions() {
		roles = append(roles, t.Role())
	}
	return roles
}

// LogGroup is the name of a CloudWatch log group.
type LogGroup string

// The log groups that belong to no function, machine, task or API.
const (
	FlowLogGroup  LogGroup = "/engagement/vpc-flow"
	TrailLogGroup LogGroup = "/engagement/cloudtrail"
)

// LogGroups lists every log group.
func LogGroups() []LogGroup {
	groups := []LogGroup{FlowLogGroup, TrailLogGroup}
	for _, t := range TaskDefinitions() {
		groups = append(groups, t.LogGroup())
	}
	for _, f := range Functions() {
		groups = append(groups, f.LogGroup())
	}
	for _, m := range StateMachines() {
		groups = append(groups, m.LogGroup())
	}
	for _, a := range APIs() {
		groups = append(groups, a.LogGroup())
	}
	return groups
}
