package chart

import (
	"fmt"
	"reflect"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// kinds are the kinds of objects that the chart may make.
func kinds() map[string]meta.Object {
	return map[string]meta.Object{
		"apps/v1 StatefulSet":                     new(apps.StatefulSet),
		"v1 ConfigMap":                            new(core.ConfigMap),
		"v1 PersistentVolumeClaim":                new(core.PersistentVolumeClaim),
		"v1 Service":                              new(core.Service),
		"v1 ServiceAccount":                       new(core.ServiceAccount),
		"networking.k8s.io/v1 Ingress":            new(networking.Ingress),
		"networking.k8s.io/v1 NetworkPolicy":      new(networking.NetworkPolicy),
		"policy/v1 PodDisruptionBudget":           new(policy.PodDisruptionBudget),
		"monitoring.coreos.com/v1 ServiceMonitor": new(monitoring.ServiceMonitor),
		"monitoring.coreos.com/v1 PrometheusRule": new(monitoring.PrometheusRule),
	}
}

// decode reads a manifest as the server of the API would that knows no field too much.
func decode(m manifest) (meta.Object, error) {
	var kind meta.TypeMeta
	if err := yaml.Unmarshal([]byte(m.text), &kind); err != nil {
		return nil, err
	}
	o, ok := kinds()[kind.APIVersion+" "+kind.Kind]
	if !ok {
		return nil, fmt.Errorf("the kind %s of %s is not known", kind.Kind, kind.APIVersion)
	}
	return o, yaml.UnmarshalStrict([]byte(m.text), o)
}

// checkManifest decodes a manifest strictly and holds what is true of all of its kind.
func checkManifest(t *testing.T, m manifest) {
	t.Helper()
	o, err := decode(m)
	if err != nil {
		t.Errorf("%s: %v\n%s", m.template, err, m.text)
		return
	}
	if o.GetNamespace() != "mail" || o.GetLabels()["app.kubernetes.io/instance"] != "mv" || len(o.GetName()) > 63 {
		t.Errorf("%s: namespace %q, labels %q, name %q", m.template, o.GetNamespace(), o.GetLabels(), o.GetName())
	}
	switch o := o.(type) {
	case *apps.StatefulSet:
		checkPod(t, &o.Spec.Template.Spec)
		if *o.Spec.Replicas != 1 {
			t.Errorf("%d replicas: a ledger has one writer", *o.Spec.Replicas)
		}
		for key, value := range o.Spec.Selector.MatchLabels {
			if o.Spec.Template.Labels[key] != value {
				t.Errorf("the pod lacks the label %s: %s of the selector", key, value)
			}
		}
	case *core.ConfigMap:
		if size := len(m.text); size > 1<<20 {
			t.Errorf("%s: %d bytes are more than a ConfigMap may have", o.Name, size)
		}
	}
}

// checkPod holds what Kubernetes calls the restricted standard
// (https://kubernetes.io/docs/concepts/security/pod-security-standards/), and that every mount has its volume.
func checkPod(t *testing.T, pod *core.PodSpec) {
	t.Helper()
	if s := pod.SecurityContext; s == nil || s.RunAsNonRoot == nil || !*s.RunAsNonRoot || s.RunAsUser == nil || *s.RunAsUser == 0 ||
		s.SeccompProfile == nil || s.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault {
		t.Errorf("the pod's security context is %+v", s)
	}
	if pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken {
		t.Error("the pod has a token for the API of Kubernetes, which it never calls")
	}
	volumes := make(map[string]bool)
	for _, v := range pod.Volumes {
		volumes[v.Name] = true
	}
	for _, c := range append(pod.InitContainers, pod.Containers...) {
		s := c.SecurityContext
		if s == nil || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem || s.AllowPrivilegeEscalation == nil ||
			*s.AllowPrivilegeEscalation || s.Capabilities == nil || !reflect.DeepEqual(s.Capabilities.Drop, []core.Capability{"ALL"}) {
			t.Errorf("the security context of the container %s is %+v", c.Name, s)
		}
		if c.Resources.Limits.Memory().IsZero() || c.Resources.Requests.Cpu().IsZero() {
			t.Errorf("the container %s asks for %+v", c.Name, c.Resources)
		}
		for _, m := range c.VolumeMounts {
			if !volumes[m.Name] {
				t.Errorf("%s is mounted from the volume %s, which is not there", m.MountPath, m.Name)
			}
		}
	}
}

// TestDecodeIsStrict makes sure that the decoding above would see a fault.
func TestDecodeIsStrict(t *testing.T) {
	for _, text := range []string{
		"apiVersion: v1\nkind: Service\nspec: {port: 80}\n",
		"apiVersion: v1\nkind: Service\nspec: {type: a, type: b}\n",
		"apiVersion: v1\nkind: Secret\n",
		"apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nspec: {endpoints: [{ports: http}]}\n",
	} {
		if _, err := decode(manifest{"a.yaml", text}); err == nil {
			t.Errorf("taken without a fault:\n%s", text)
		}
	}
}
