#include "base/local_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"

int local_socket_listen(struct str path, int type, int backlog, struct err *err)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	auto_close int fd = socket(AF_UNIX, type, 0);

	if (path.n >= sizeof(name.sun_path))
		return err_set(err, -ENAMETOOLONG, "%s: too long for a socket", path.p);
	memcpy(name.sun_path, path.p, path.n);
	if (fd < 0)
		return err_sys(err, "socket");
	if (unlink(path.p) < 0 && errno != ENOENT)
		return err_sys(err, "%s", path.p);
	mode_t before = umask(0177);
	int r = bind(fd, (const struct sockaddr *)&name, sizeof(name));
	umask(before);
	if (r < 0 || listen(fd, backlog) < 0)
		return err_sys(err, "%s", path.p);
	return take_fd(&fd);
}
