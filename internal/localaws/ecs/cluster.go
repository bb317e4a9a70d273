package ecs

import (
	"context"
	"errors"
	"slices"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type clusterOutput struct {
	ClusterArn        string         `json:"clusterArn"`
	ClusterName       string         `json:"clusterName"`
	Status            string         `json:"status"`
	Instances         int            `json:"registeredContainerInstancesCount"`
	Running           int            `json:"runningTasksCount"`
	Pending           int            `json:"pendingTasksCount"`
	Services          int            `json:"activeServicesCount"`
	Statistics        []KeyValue     `json:"statistics"`
	Tags              []Tag          `json:"tags"`
	Settings          []setting      `json:"settings"`
	CapacityProviders []string       `json:"capacityProviders"`
	Strategy          []strategyItem `json:"defaultCapacityProviderStrategy"`
	Configuration     map[string]any `json:"configuration,omitempty"`
}

// lastPart returns the name in an ARN, or the name itself. "" is "default".
func clusterName(nameOrARN string) string {
	if nameOrARN == "" {
		return "default"
	}
	return nameOrARN[strings.LastIndexByte(nameOrARN, '/')+1:]
}

func (c *cluster) arn() string { return arn(c.Account, c.Region, "cluster/"+c.Name) }

func arn(account, region, resource string) string {
	return "arn:aws:ecs:" + region + ":" + account + ":" + resource
}

func clusterKey(call *wire.Call, nameOrARN string) string {
	return state.Key(call.Caller.Account, call.Caller.Region, clusterName(nameOrARN))
}

func getCluster(tx state.Tx, key string) (cluster, error) {
	c, err := clusters.Get(tx, key)
	if errors.Is(err, state.ErrNotFound) {
		return c, wire.Errorf("ClusterNotFoundException", "Cluster not found.")
	}
	return c, err
}

// describeCluster counts the cluster's tasks.
func describeCluster(tx state.Tx, c cluster, status string) (clusterOutput, error) {
	out := clusterOutput{ClusterArn: c.arn(), ClusterName: c.Name, Status: status, Statistics: []KeyValue{}, Tags: orEmpty(c.Tags),
		Settings: orEmpty(c.Settings), CapacityProviders: orEmpty(c.Providers), Strategy: orEmpty(c.Strategy), Configuration: c.Configuration}
	all, err := tasks.List(tx, state.Prefix(c.Account, c.Region, c.Name), "", 0)
	for _, e := range all {
		switch e.Value.LastStatus {
		case "RUNNING":
			out.Running++
		case "PROVISIONING", "PENDING":
			out.Pending++
		}
	}
	return out, err
}

func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

type clusterInput struct {
	ClusterName   string         `json:"clusterName"`
	Cluster       string         `json:"cluster"`
	Tags          []Tag          `json:"tags"`
	Settings      []setting      `json:"settings"`
	Configuration map[string]any `json:"configuration"`
	Providers     []string       `json:"capacityProviders"`
	Strategy      []strategyItem `json:"defaultCapacityProviderStrategy"`
	Connect       unsupported    `json:"serviceConnectDefaults"`
}

func (in *clusterInput) name() string {
	if in.Cluster != "" {
		return in.Cluster
	}
	return in.ClusterName
}

// check refuses what a cluster here cannot keep to.
func (in *clusterInput) check() error {
	if err := refuse(in); err != nil {
		return err
	}
	for _, s := range in.Settings {
		if s.Name != "containerInsights" {
			return wire.NotImplemented("ecs cluster setting %s", s.Name)
		}
	}
	for _, p := range in.Providers {
		if p != "FARGATE" && p != "FARGATE_SPOT" {
			return wire.NotImplemented("ecs capacity provider %s", p)
		}
	}
	for _, item := range in.Strategy {
		if !slices.Contains(in.Providers, item.CapacityProvider) {
			return invalid("The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. Associate the capacity provider with the cluster and try again.")
		}
	}
	return nil
}

type oneCluster struct {
	Cluster clusterOutput `json:"cluster"`
}

func (s *Service) createCluster(_ context.Context, call *wire.Call, in *clusterInput) (*oneCluster, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	c := cluster{call.Caller.Account, call.Caller.Region, clusterName(in.ClusterName), in.Settings, in.Providers, in.Strategy, in.Tags, in.Configuration}
	if len(c.Settings) == 0 {
		c.Settings = []setting{{"containerInsights", "disabled"}}
	}
	out := &oneCluster{}
	err := s.store.Update(func(tx state.Tx) (err error) {
		// Creating a cluster again returns the one that there is, as on AWS.
		if err := clusters.Create(tx, clusterKey(call, c.Name), c); errors.Is(err, state.ErrExists) {
			c, err = clusters.Get(tx, clusterKey(call, c.Name))
			if err != nil {
				return err
			}
		}
		out.Cluster, err = describeCluster(tx, c, "ACTIVE")
		return err
	})
	return out, err
}

func (s *Service) changeCluster(call *wire.Call, in *clusterInput, f func(*cluster)) (*oneCluster, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	out := &oneCluster{}
	err := s.store.Update(func(tx state.Tx) error {
		c, err := getCluster(tx, clusterKey(call, in.name()))
		if err != nil {
			return err
		}
		f(&c)
		if out.Cluster, err = describeCluster(tx, c, "ACTIVE"); err != nil {
			return err
		}
		return clusters.Put(tx, clusterKey(call, c.Name), c)
	})
	return out, err
}

func (s *Service) updateClusterSettings(_ context.Context, call *wire.Call, in *clusterInput) (*oneCluster, error) {
	return s.changeCluster(call, in, func(c *cluster) { c.Settings = in.Settings })
}

func (s *Service) updateCluster(_ context.Context, call *wire.Call, in *clusterInput) (*oneCluster, error) {
	return s.changeCluster(call, in, func(c *cluster) {
		if in.Settings != nil {
			c.Settings = in.Settings
		}
		if in.Configuration != nil {
			c.Configuration = in.Configuration
		}
	})
}

func (s *Service) putClusterCapacityProviders(_ context.Context, call *wire.Call, in *clusterInput) (*oneCluster, error) {
	return s.changeCluster(call, in, func(c *cluster) { c.Providers, c.Strategy = in.Providers, in.Strategy })
}

func (s *Service) deleteCluster(_ context.Context, call *wire.Call, in *clusterInput) (*oneCluster, error) {
	out := &oneCluster{}
	err := s.store.Update(func(tx state.Tx) error {
		c, err := getCluster(tx, clusterKey(call, in.name()))
		if err != nil {
			return err
		}
		if out.Cluster, err = describeCluster(tx, c, "INACTIVE"); err != nil {
			return err
		}
		if out.Cluster.Running+out.Cluster.Pending > 0 {
			return wire.Errorf("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
		}
		return clusters.Delete(tx, clusterKey(call, c.Name))
	})
	return out, err
}

type describeClustersInput struct {
	Clusters []string `json:"clusters"`
	Include  []string `json:"include"`
}

type failure struct {
	Arn    string `json:"arn"`
	Reason string `json:"reason"`
	Detail string `json:"detail,omitempty"`
}

type describeClustersOutput struct {
	Clusters []clusterOutput `json:"clusters"`
	Failures []failure       `json:"failures"`
}

func (s *Service) describeClusters(_ context.Context, call *wire.Call, in *describeClustersInput) (*describeClustersOutput, error) {
	out := &describeClustersOutput{Clusters: []clusterOutput{}, Failures: []failure{}}
	if len(in.Clusters) == 0 {
		in.Clusters = []string{"default"}
	}
	return out, s.store.View(func(tx state.Tx) error {
		for _, name := range in.Clusters {
			c, err := clusters.Get(tx, clusterKey(call, name))
			if errors.Is(err, state.ErrNotFound) {
				out.Failures = append(out.Failures, failure{Arn: call.ARN("ecs", "cluster/"+clusterName(name)), Reason: "MISSING"})
				continue
			}
			if err != nil {
				return err
			}
			described, err := describeCluster(tx, c, "ACTIVE")
			if err != nil {
				return err
			}
			out.Clusters = append(out.Clusters, described)
		}
		return nil
	})
}

type listInput struct {
	MaxResults int    `json:"maxResults" max:"100"`
	NextToken  string `json:"nextToken"`
}

type listClustersOutput struct {
	ClusterArns []string `json:"clusterArns"`
	NextToken   string   `json:"nextToken,omitempty"`
}

func (s *Service) listClusters(_ context.Context, call *wire.Call, in *listInput) (*listClustersOutput, error) {
	var arns []string
	err := s.store.View(func(tx state.Tx) error {
		all, err := clusters.List(tx, state.Prefix(call.Caller.Account, call.Caller.Region), "", 0)
		for _, e := range all {
			arns = append(arns, e.Value.arn())
		}
		return err
	})
	shown, next := page(arns, in.NextToken, in.MaxResults)
	return &listClustersOutput{shown, next}, err
}

// page cuts one page out of texts; the token is the last one of the page before.
func page(all []string, token string, limit int) ([]string, string) {
	if i := slices.Index(all, token); token != "" && i >= 0 {
		all = all[i+1:]
	}
	if limit <= 0 || limit > 100 {
		limit = 100
	}
	if len(all) <= limit {
		return orEmpty(all), ""
	}
	return all[:limit], all[limit-1]
}
