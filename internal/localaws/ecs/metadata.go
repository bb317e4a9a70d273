package ecs

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"engage/internal/localaws/wire"
)

// metadataVariable tells a container where its metadata is. Its value has the
// container's own token, so it also marks the processes of a container.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate.html
const metadataVariable = "ECS_CONTAINER_METADATA_URI_V4"

var (
	metadataPath    = regexp.MustCompile(`^/v4/([A-Z2-7]{52})(?:/(.*))?$`)
	credentialsPath = regexp.MustCompile(`^/v2/credentials/([A-Z2-7]{52})$`)
)

func isContainer(r *http.Request) bool {
	_, signed := wire.ScopeOf(r)
	return !signed && (metadataPath.MatchString(r.URL.Path) || credentialsPath.MatchString(r.URL.Path))
}

// containerEndpoint answers containers: what they are, and their credentials.
// The token in the path is what lets them in.
type containerEndpoint struct{ s *Service }

func (e *containerEndpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m := metadataPath.FindStringSubmatch(r.URL.Path)
	credentials := m == nil
	if credentials {
		m = append(credentialsPath.FindStringSubmatch(r.URL.Path), "")
	}
	e.s.mu.Lock()
	c := e.s.tokens[m[1]]
	e.s.mu.Unlock()
	if c == nil {
		http.Error(w, "there is no running container of this address", http.StatusNotFound)
		return
	}
	if r.Method != http.MethodGet {
		http.Error(w, "only GET is answered here", http.StatusMethodNotAllowed)
		return
	}
	answer := c.answer(m[2])
	if credentials {
		answer = c.credentials(r)
	}
	if err, failed := answer.(error); failed {
		http.Error(w, err.Error(), wire.AsError(err).Status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(answer) //nolint:errcheck // the caller has gone; there is nobody to tell
}

func (c *container) answer(what string) any {
	c.task.mu.Lock()
	defer c.task.mu.Unlock()
	switch strings.TrimSuffix(what, "/") {
	case "":
		return c.metadata()
	case "task":
		return c.task.metadata()
	case "stats":
		return c.stats()
	case "task/stats":
		all := map[string]any{}
		for i, o := range c.task.containers {
			all[c.task.record.Containers[i].RuntimeID] = o.stats()
		}
		return all
	}
	return wire.StatusErrorf(http.StatusNotImplemented, "NotImplemented", "the container metadata %q is not implemented by this endpoint", what)
}

// metadata describes the container. REQUIRES: the task is locked.
func (c *container) metadata() map[string]any {
	r := &c.task.record
	own := r.Containers[c.index]
	m := map[string]any{
		"DockerId": own.RuntimeID, "Name": own.Name, "DockerName": own.Name, "Image": own.Image, "ImageID": own.ImageDigest,
		"DesiredStatus": r.DesiredStatus, "KnownStatus": own.LastStatus, "Type": "NORMAL", "ContainerARN": own.ContainerArn, "CreatedAt": r.CreatedAt.ISO(),
		"Labels": map[string]string{"com.amazonaws.ecs.cluster": r.ClusterArn, "com.amazonaws.ecs.container-name": own.Name,
			"com.amazonaws.ecs.task-arn": r.TaskArn, "com.amazonaws.ecs.task-definition-family": c.task.def.Family,
			"com.amazonaws.ecs.task-definition-version": strconv.Itoa(c.task.def.Revision)},
		"Limits":   map[string]any{"CPU": c.def.CPU, "Memory": c.memoryLimit() >> 20},
		"Networks": []map[string]any{{"NetworkMode": "awsvpc", "IPv4Addresses": []string{"127.0.0.1"}}},
	}
	if !r.StartedAt.IsZero() {
		m["StartedAt"] = r.StartedAt.ISO()
	}
	if l := c.def.LogConfiguration; l != nil {
		m["LogDriver"] = l.LogDriver
		m["LogOptions"] = map[string]string{"awslogs-group": l.Options["awslogs-group"], "awslogs-region": l.Options["awslogs-region"],
			"awslogs-stream": l.Options["awslogs-stream-prefix"] + "/" + own.Name + "/" + r.ID()}
	}
	return m
}

// metadata describes the task. REQUIRES: the task is locked.
func (t *live) metadata() map[string]any {
	r := &t.record
	all := []map[string]any{}
	for _, c := range t.containers {
		all = append(all, c.metadata())
	}
	cpu, _ := strconv.ParseFloat(r.CPU, 64) // checked when the task was made
	memory, _ := strconv.Atoi(r.Memory)
	return map[string]any{"Cluster": r.ClusterArn, "TaskARN": r.TaskArn, "Family": t.def.Family, "Revision": strconv.Itoa(t.def.Revision),
		"DesiredStatus": r.DesiredStatus, "KnownStatus": r.LastStatus, "Limits": map[string]any{"CPU": cpu / 1024, "Memory": memory},
		"PullStartedAt": r.PullStartedAt.ISO(), "PullStoppedAt": r.PullStoppedAt.ISO(), "AvailabilityZone": r.AvailabilityZone,
		"LaunchType": r.LaunchType, "Containers": all}
}

// stats are in Docker's form, as far as this endpoint measures: memory and CPU time.
func (c *container) stats() any {
	select {
	case <-c.started:
	default:
		return nil
	}
	used := usageOf(c.pid)
	return map[string]any{"read": c.task.s.now().Format(time.RFC3339Nano), "num_procs": used.processes,
		"memory_stats": map[string]any{"usage": used.resident, "limit": c.memoryLimit()},
		"cpu_stats":    map[string]any{"cpu_usage": map[string]any{"total_usage": used.cpu.Nanoseconds()}}}
}

// credentials opens a session of the task's role.
func (c *container) credentials(r *http.Request) any {
	if c.role() == "" {
		return wire.StatusErrorf(http.StatusNotFound, "NoTaskRole", "the task definition has no task role")
	}
	session, err := c.task.s.session(r.Context(), c.task, c.role())
	if err != nil {
		return err
	}
	return map[string]string{"RoleArn": c.role(), "AccessKeyId": session.AccessKeyID, "SecretAccessKey": session.SecretAccessKey,
		"Token": session.Token, "Expiration": session.Expires.UTC().Format(time.RFC3339)}
}
