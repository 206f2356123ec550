#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/list.h"

struct item {
	int value;
	struct list link;
};

static int values(struct list *head)
{
	int all = 0;
	LIST_FOREACH (it, head)
		all = all * 10 + LIST_ITEM(it, struct item, link)->value;
	return all;
}

static void items_keep_their_order(void **state)
{
	(void)state;
	struct list head;
	struct item one = { .value = 1 }, two = { .value = 2 }, three = { .value = 3 };

	list_init(&head);
	assert_true(list_empty(&head));
	list_append(&head, &two.link);
	list_append(&head, &three.link);
	list_prepend(&head, &one.link);
	assert_int_equal(values(&head), 123);
	assert_false(list_empty(&head));
}

static void removed_item_may_be_removed_again(void **state)
{
	(void)state;
	struct list head;
	struct item one = { .value = 1 }, two = { .value = 2 };

	list_init(&head);
	list_append(&head, &one.link);
	list_append(&head, &two.link);
	list_remove(&one.link);
	list_remove(&one.link);
	assert_int_equal(values(&head), 2);
	list_remove(&two.link);
	assert_true(list_empty(&head));
}

static void shift_takes_from_the_front_until_empty(void **state)
{
	(void)state;
	struct list head;
	struct item one = { .value = 1 }, two = { .value = 2 };

	list_init(&head);
	list_append(&head, &one.link);
	list_append(&head, &two.link);
	assert_ptr_equal(list_shift(&head), &one.link);
	assert_ptr_equal(list_shift(&head), &two.link);
	assert_null(list_shift(&head));
}

static void item_may_be_removed_while_walking(void **state)
{
	(void)state;
	struct list head;
	struct item items[6];

	list_init(&head);
	for (int i = 0; i < 6; i++) {
		items[i].value = i + 1;
		list_append(&head, &items[i].link);
	}
	LIST_FOREACH_SAFE (it, &head)
		if (LIST_ITEM(it, struct item, link)->value % 2)
			list_remove(it);
	assert_int_equal(values(&head), 246);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_keep_their_order),
		cmocka_unit_test(removed_item_may_be_removed_again),
		cmocka_unit_test(shift_takes_from_the_front_until_empty),
		cmocka_unit_test(item_may_be_removed_while_walking),
	};
	return cmocka_run_group_tests_name("base/list", tests, NULL, NULL);
}
