#include <sqlite3.h>

#if defined(__linux__)
#include <sys/vfs.h>

/* What statfs(2) calls the type of the file system that holds a path; 0 when it does not say. Swift's C library module
   leaves statfs out. */
static inline unsigned int tidemill_file_system_magic(const char *path) {
    struct statfs status;
    if (statfs(path, &status) != 0) return 0;
    return (unsigned int)status.f_type;
}
#endif
