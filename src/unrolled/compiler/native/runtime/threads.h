/* Threads of the OpenMP runtime that the process already has, through two of its functions; without them one thread does all. */

#include <sched.h>

typedef void Parallel(void (*task)(void *), void *data, unsigned threads, unsigned flags);

static Parallel *parallel;
static int (*thread_number)(void), (*thread_count)(void);

void use_threads(void *region, void *number, void *count)
{
    parallel = (Parallel *)(uintptr_t)region;
    thread_number = (int (*)(void))(uintptr_t)number;
    thread_count = (int (*)(void))(uintptr_t)count;
}

/* How often a thread looks for the others, a tenth of a millisecond or so, before it lets another program have the processor: which may then keep
   it for milliseconds, however unimportant it is. */
#define PATIENCE 200000

/* Where the threads of a team wait for one another. */
typedef struct {
    long arrived, round;
} Barrier;

static __attribute__((unused)) void wait_for_all(Barrier *barrier, long threads)
{
    if (threads == 1)
        return;
    const long round = __atomic_load_n(&barrier->round, __ATOMIC_ACQUIRE);
    if (__atomic_add_fetch(&barrier->arrived, 1, __ATOMIC_ACQ_REL) == threads) {
        __atomic_store_n(&barrier->arrived, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&barrier->round, round + 1, __ATOMIC_RELEASE);
        return;
    }
    for (long turn = 0; __atomic_load_n(&barrier->round, __ATOMIC_ACQUIRE) == round; turn++)
        if (turn > PATIENCE)
            sched_yield();
}

typedef struct Team {
    void (*work)(void *data, struct Team *team, long thread, long threads);
    void *data;
    Barrier barrier;
} Team;

static void join_team(void *team)
{
    Team *all = team;
    all->work(all->data, all, thread_number(), thread_count());
}

static __attribute__((unused)) void run_team(void (*work)(void *, Team *, long, long), void *data, long threads)
{
    Team team = {work, data, {0, 0}};
    if (threads > 1 && parallel)
        parallel(join_team, &team, (unsigned)threads, 0);
    else
        work(data, &team, 0, 1);
}
