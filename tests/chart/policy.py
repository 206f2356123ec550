"""The Pod Security Standard "restricted", which includes "baseline", as Kubernetes documents it."""

SAFE_SYSCTLS = {
    'kernel.shm_rmid_forced', 'net.ipv4.ip_local_port_range', 'net.ipv4.ip_unprivileged_port_start',
    'net.ipv4.tcp_syncookies', 'net.ipv4.ping_group_range', 'net.ipv4.ip_local_reserved_ports',
    'net.ipv4.tcp_keepalive_time', 'net.ipv4.tcp_fin_timeout', 'net.ipv4.tcp_keepalive_intvl',
    'net.ipv4.tcp_keepalive_probes',
}
VOLUMES = {'configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'persistentVolumeClaim',
           'projected', 'secret'}
SECCOMP = {'RuntimeDefault', 'Localhost'}


def _of_pod(spec):
    context = spec.get('securityContext') or {}
    yield from (name for name in ('hostNetwork', 'hostPID', 'hostIPC') if spec.get(name))
    yield from (f'sysctl {s["name"]}' for s in context.get('sysctls', ())
                if s['name'] not in SAFE_SYSCTLS)
    for volume in spec.get('volumes', ()):
        yield from (f'volume {kind}' for kind in volume if kind not in VOLUMES | {'name'})
    if context.get('runAsUser') == 0:
        yield 'runAsUser'


def _of_container(container, pod):
    context = container.get('securityContext') or {}
    if context.get('privileged'):
        yield 'privileged'
    if context.get('allowPrivilegeEscalation') is not False:
        yield 'allowPrivilegeEscalation'
    capabilities = context.get('capabilities') or {}
    if 'ALL' not in capabilities.get('drop', ()):
        yield 'capabilities.drop'
    if set(capabilities.get('add', ())) - {'NET_BIND_SERVICE'}:
        yield 'capabilities.add'
    if context.get('runAsNonRoot', pod.get('runAsNonRoot')) is not True:
        yield 'runAsNonRoot'
    if context.get('runAsUser') == 0:
        yield 'runAsUser'
    seccomp = context.get('seccompProfile') or pod.get('seccompProfile') or {}
    if seccomp.get('type') not in SECCOMP:
        yield 'seccompProfile'
    if context.get('procMount', 'Default') != 'Default':
        yield 'procMount'
    yield from ('hostPort' for port in container.get('ports', ()) if port.get('hostPort'))


def violations(spec):
    found = list(_of_pod(spec))
    for container in [*spec.get('initContainers', ()), *spec['containers']]:
        found += _of_container(container, spec.get('securityContext') or {})
    return found
