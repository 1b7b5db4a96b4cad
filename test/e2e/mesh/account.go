package mesh

import (
	"context"
	"path/filepath"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/yaml"
)

// Account creates a service account with the given roles and no other rights. Each element of roles is a YAML stream of
// Roles and ClusterRoles. Account returns the path of a kubeconfig file with the account's token.
func (m *Mesh) Account(ctx context.Context, name string, roles ...string) (string, error) {
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default"}}
	if _, err := m.kube.CoreV1().ServiceAccounts("default").Create(ctx, account, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return "", err
	}
	for _, r := range roles {
		if err := m.grant(ctx, name, r); err != nil {
			return "", err
		}
	}
	return m.token(ctx, name)
}

// token writes a kubeconfig file with a token of an account.
func (m *Mesh) token(ctx context.Context, name string) (string, error) {
	life := int64(certLife.Seconds())
	token, err := m.kube.CoreV1().ServiceAccounts("default").CreateToken(ctx, name, &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &life},
	}, metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	path := filepath.Join(m.Dir, "kubeconfig-"+name)
	return path, m.writeKubeconfig(path, &api.AuthInfo{Token: token.Status.Token})
}

// grant creates the roles in a YAML stream and binds them to an account: a ClusterRole for the whole cluster, a Role
// for its namespace.
func (m *Mesh) grant(ctx context.Context, account, roles string) error {
	if err := m.apply(ctx, "default", []byte(roles)); err != nil {
		return err
	}
	for _, doc := range documents([]byte(roles)) {
		var role rbacv1.ClusterRole // a Role has the same fields in its metadata
		if err := yaml.Unmarshal(doc, &role); err != nil {
			return err
		}
		if err := m.bind(ctx, account, role.Kind, role.Name, role.Namespace); err != nil {
			return err
		}
	}
	return nil
}

func (m *Mesh) bind(ctx context.Context, account, kind, role, namespace string) (err error) {
	head := metav1.ObjectMeta{Name: role + "-" + account, Namespace: namespace}
	subjects := []rbacv1.Subject{{Kind: "ServiceAccount", Name: account, Namespace: "default"}}
	ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: kind, Name: role}
	if kind == "ClusterRole" {
		_, err = m.kube.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{ObjectMeta: head, Subjects: subjects, RoleRef: ref}, metav1.CreateOptions{})
	} else {
		_, err = m.kube.RbacV1().RoleBindings(namespace).Create(ctx, &rbacv1.RoleBinding{ObjectMeta: head, Subjects: subjects, RoleRef: ref}, metav1.CreateOptions{})
	}
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
