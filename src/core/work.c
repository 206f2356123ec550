#include "core/work.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/fiber.h"
#include "core/scheduler.h"

#define WORK_THREADS_MAX 32
#define WORK_STACK_SIZE	 ((size_t)256 * 1024)

struct job {
	struct list link;
	int (*fn)(void *arg);
	void *arg;
	int result;
	bool done; /* touched by the loop's thread only */
	struct fiber *fiber;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static struct list waiting = { &waiting, &waiting }; /* under the lock */
static struct list ended = { &ended, &ended };	     /* under the lock */
static unsigned waiting_jobs, idle_threads;	     /* under the lock */
static bool stopping;				     /* under the lock */
static pthread_t threads[WORK_THREADS_MAX];
static unsigned thread_count, thread_limit = 4;
static unsigned running;
static int event_fd = -1;

void work_init(unsigned n)
{
	check(event_fd < 0);
	thread_limit = n < 1 ? 1 : n > WORK_THREADS_MAX ? WORK_THREADS_MAX : n;
	event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	check(event_fd >= 0);
	loop_watch_work(event_fd);
}

/* Whoever is woken wants the lock at once: nobody is woken under it. */
static void report(struct job *j)
{
	pthread_mutex_lock(&lock);
	bool first = list_empty(&ended);
	list_append(&ended, &j->link);
	pthread_mutex_unlock(&lock);

	if (first) {
		uint64_t one = 1;
		(void)!write(event_fd, &one, sizeof(one));
	}
}

static void *work_thread(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&lock);
	for (;;) {
		struct list *l = list_shift(&waiting);
		if (!l && stopping)
			break;
		if (!l) {
			idle_threads++;
			pthread_cond_wait(&more, &lock);
			idle_threads--;
			continue;
		}
		waiting_jobs--;
		pthread_mutex_unlock(&lock);
		struct job *j = LIST_ITEM(l, struct job, link);
		j->result = j->fn(j->arg);
		report(j);
		pthread_mutex_lock(&lock);
	}
	pthread_mutex_unlock(&lock);
	return NULL;
}

/* Signals belong to the loop's thread. */
static void start_thread(void)
{
	pthread_attr_t attr;
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, WORK_STACK_SIZE);
	int r = pthread_create(&threads[thread_count], &attr, work_thread, NULL);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	check(r == 0 || thread_count > 0);
	thread_count += r == 0;
}

static void submit(struct job *j)
{
	pthread_mutex_lock(&lock);
	list_append(&waiting, &j->link);
	waiting_jobs++;
	/* A thread that was woken is idle until it runs: it may have a job to come to already. */
	bool need_thread = waiting_jobs > idle_threads && thread_count < thread_limit;
	pthread_mutex_unlock(&lock);
	pthread_cond_signal(&more);
	if (need_thread)
		start_thread();
}

int work_run(int (*fn)(void *arg), void *arg)
{
	struct job j = { .fn = fn, .arg = arg, .fiber = fiber_self() };

	check(j.fiber && event_fd >= 0);
	running++;
	submit(&j);
	while (!j.done)
		fiber_park_uncancelled("work");
	return j.result;
}

void work_collect(void)
{
	struct list batch;
	uint64_t counter;

	list_init(&batch);
	(void)!read(event_fd, &counter, sizeof(counter));
	pthread_mutex_lock(&lock);
	for (struct list *l; (l = list_shift(&ended));)
		list_append(&batch, l);
	pthread_mutex_unlock(&lock);

	for (struct list *l; (l = list_shift(&batch));) {
		struct job *j = LIST_ITEM(l, struct job, link);
		running--;
		j->done = true;
		fiber_wake(j->fiber);
	}
}

unsigned work_running(void)
{
	return running;
}

void work_done(void)
{
	check(running == 0);
	pthread_mutex_lock(&lock);
	stopping = true;
	pthread_cond_broadcast(&more);
	pthread_mutex_unlock(&lock);
	while (thread_count)
		pthread_join(threads[--thread_count], NULL);
	stopping = false;
	if (event_fd >= 0)
		close(event_fd);
	event_fd = -1;
}
