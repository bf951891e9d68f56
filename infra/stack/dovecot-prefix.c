/* Lets Debian's dovecot run from a directory of ours.
 *
 * Two paths of dovecot are compiled in and not configurable: the directory from which it loads its TLS module and the program
 * that reads its configuration. This library is preloaded into our private instance and answers for them with the unpacked
 * ones (UNPACKED is given by the compiler's command line). A dovecot of the system is neither needed nor touched.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int starts_with(const char *path, const char *prefix)
{
    return strncmp(path, prefix, strlen(prefix)) == 0;
}

static const char *moved(const char *path, char *buffer, size_t size)
{
    if (path == NULL || !(starts_with(path, "/usr/lib/dovecot/") || starts_with(path, "/usr/bin/doveconf")))
        return path;
    const int length = snprintf(buffer, size, "%s%s", UNPACKED, path);
    return length > 0 && (size_t)length < size ? buffer : path;
}

DIR *opendir(const char *path)
{
    char buffer[4096];
    DIR *(*original)(const char *) = (DIR *(*)(const char *))dlsym(RTLD_NEXT, "opendir");
    return original(moved(path, buffer, sizeof buffer));
}

void *dlopen(const char *path, int flags)
{
    char buffer[4096];
    void *(*original)(const char *, int) = (void *(*)(const char *, int))dlsym(RTLD_NEXT, "dlopen");
    return original(moved(path, buffer, sizeof buffer), flags);
}

int execv(const char *path, char *const arguments[])
{
    char buffer[4096];
    int (*original)(const char *, char *const[]) = (int (*)(const char *, char *const[]))dlsym(RTLD_NEXT, "execv");
    return original(moved(path, buffer, sizeof buffer), arguments);
}
