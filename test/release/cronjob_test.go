package release

import (
	"os"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// TestCronJobIsRestricted decodes docs/cronjob.yaml strictly, by the types of the
// Kubernetes API, and checks what Pod Security's profile "restricted" requires
// (Kubernetes' page "Pod Security Standards").
func TestCronJobIsRestricted(t *testing.T) {
	text, err := os.ReadFile("docs/cronjob.yaml")
	if err != nil {
		t.Fatal(err)
	}
	objects := strings.Split(string(text), "\n---\n")
	var job batchv1.CronJob
	for i, into := range []any{&corev1.ServiceAccount{}, &corev1.PersistentVolumeClaim{}, &job} {
		if err := yaml.UnmarshalStrict([]byte(objects[i]), into); err != nil {
			t.Fatal(err)
		}
	}
	spec := job.Spec.JobTemplate.Spec.Template.Spec
	pod := spec.SecurityContext
	if pod == nil || pod.RunAsNonRoot == nil || !*pod.RunAsNonRoot || pod.SeccompProfile == nil || pod.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault || spec.HostNetwork || spec.HostPID || len(spec.Containers) != 1 {
		t.Fatalf("the pod: %+v", pod)
	}
	c := spec.Containers[0]
	s := c.SecurityContext
	if s == nil || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem || s.Capabilities == nil || len(s.Capabilities.Drop) != 1 || s.Capabilities.Drop[0] != "ALL" || len(s.Capabilities.Add) > 0 {
		t.Errorf("the container: %+v", s)
	}
	if c.Resources.Requests.Memory().IsZero() || c.Resources.Limits.Memory().IsZero() || job.Spec.JobTemplate.Spec.TTLSecondsAfterFinished == nil {
		t.Errorf("resources %+v", c.Resources)
	}
	for _, v := range spec.Volumes {
		if v.HostPath != nil {
			t.Errorf("%s: a path of the host", v.Name)
		}
	}
}
