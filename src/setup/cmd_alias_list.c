#include "setup/list_file.h"

enum setup_exit cmd_alias_list(struct setup *s)
{
	return list_file_print(s, SETUP_VIRTUAL, 0);
}
