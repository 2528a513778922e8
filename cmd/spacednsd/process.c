#include "spacednsd/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"

enum { STATM_OCTETS = 128 };
static const double us_per_second = 1e6;

void process_open(struct process *process)
{
    *process = (struct process){
        .memory = open("/proc/self/statm", O_RDONLY | O_CLOEXEC),
        .folder = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
        .started_s = (double)clock_wall_us() / us_per_second,
    };
}

/* proc(5): the second number is what is resident, in pages. */
static void read_memory(int descriptor, struct process_use *use)
{
    char text[STATM_OCTETS];
    unsigned long long pages;
    ssize_t length = descriptor < 0 ? -1 : pread(descriptor, text, sizeof text - 1, 0);

    if (length <= 0)
        return;
    text[length] = '\0';
    use->has_memory = sscanf(text, "%*u %llu", &pages) == 1;
    if (use->has_memory)
        use->memory_bytes = pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* The copy of the folder's own descriptor is not counted. */
static void count_descriptors(int folder, struct process_use *use)
{
    int copy = folder < 0 ? -1 : dup(folder);
    DIR *listing = copy < 0 ? NULL : fdopendir(copy);

    if (listing == NULL) {
        if (copy >= 0)
            close(copy);
        return;
    }
    rewinddir(listing);
    for (const struct dirent *entry = readdir(listing); entry != NULL; entry = readdir(listing))
        use->descriptors += entry->d_name[0] != '.';
    closedir(listing);
    use->descriptors--;
    use->has_descriptors = true;
}

static double seconds_of(const struct timeval *time)
{
    return (double)time->tv_sec + (double)time->tv_usec / us_per_second;
}

void process_read(const struct process *process, struct process_use *use)
{
    struct rusage usage;
    struct rlimit limit;

    *use = (struct process_use){.has_memory = false};
    read_memory(process->memory, use);
    count_descriptors(process->folder, use);
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        use->cpu_seconds = seconds_of(&usage.ru_utime) + seconds_of(&usage.ru_stime);
    use->has_limit = getrlimit(RLIMIT_NOFILE, &limit) == 0;
    use->descriptors_most = limit.rlim_cur;
}

void process_close(struct process *process)
{
    if (process->memory >= 0)
        close(process->memory);
    if (process->folder >= 0)
        close(process->folder);
    process->memory = process->folder = -1;
}
