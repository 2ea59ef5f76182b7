// One writer at a time, under whatever name; and an end to every attempt.
#include <gmock/gmock.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstddef>
#include <fstream>

#include "store/writer_lock.hpp"
#include "store_fixture.hpp"

namespace limrisk {
namespace {

namespace fs = std::filesystem;
using testing::small_campaign;

class StoreLockTest : public testing::StoreTest {
protected:
    void expect_busy(const std::string& name) const {
        try {
            const Store second = Store::open_for_writing(path(name), small_campaign());
            ADD_FAILURE() << name << " has two writers";
        } catch (const StoreError& error) {
            EXPECT_EQ(error.code(), ExitCode::Busy) << error.what();
        }
    }
};

TEST_F(StoreLockTest, EveryNameOfAStoreHasTheSameWriter) {
    fs::create_symlink("store.db", path("before.db"));  // to nothing yet
    {
        const Store store = Store::open_for_writing(path(), small_campaign());
        fs::create_hard_link(path(), path("hard.db"));
        fs::create_symlink("store.db", path("soft.db"));
        for (const char* name : {"store.db", "hard.db", "soft.db", "before.db"}) expect_busy(name);
        EXPECT_TRUE(Store::open(path("hard.db")).verify().empty());
    }
    for (const char* name : {"store.db", "hard.db", "soft.db", "before.db"}) Store::open_for_writing(path(name), small_campaign());
    EXPECT_FALSE(fs::exists(path("hard.db-lock")));
}

TEST_F(StoreLockTest, ALinkToAStoreThatIsToBeMadeIsTheStore) {
    fs::create_symlink("store.db", path("before.db"));
    const Store store = Store::open_for_writing(path("before.db"), small_campaign());
    for (const char* name : {"store.db", "before.db"}) expect_busy(name);
}

TEST_F(StoreLockTest, ARemovedLockFileMakesNoSecondWriter) {
    const Store store = Store::open_for_writing(path(), small_campaign());
    fs::remove(path("store.db-lock"));
    expect_busy("store.db");
}

TEST_F(StoreLockTest, ALockFileThatIsAnotherFileTooIsNeitherWrittenNorRemoved) {
    std::ofstream(path("thesis.txt")) << "years of work";
    fs::create_hard_link(path("thesis.txt"), path("store.db-lock"));
    try {
        const Store store = Store::open_for_writing(path(), small_campaign());
        ADD_FAILURE() << "took a lock file that has another name";
    } catch (const StoreError& error) {
        EXPECT_EQ(error.code(), ExitCode::InputOutput);
        EXPECT_THAT(error.what(), ::testing::HasSubstr("hard link"));
    }
    EXPECT_EQ(fs::file_size(path("thesis.txt")), 13);
    EXPECT_EQ(fs::hard_link_count(path("thesis.txt")), 2);
}

/// From now on newfstatat() of a name fails with EIO in this process; of an open file it works.
bool break_stat() {
#if defined(__x86_64__)
    constexpr auto low = [](std::size_t argument) {
        return static_cast<unsigned>(offsetof(seccomp_data, args) + argument * sizeof(std::uint64_t));
    };
    sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_newfstatat, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low(3)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EIO),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog program{static_cast<unsigned short>(std::size(steps)), steps};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
#else
    return false;
#endif
}

TEST_F(StoreLockTest, AFileThatCannotBeLookedAtEndsTheAttempt) {
    const fs::path store = path();
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(60);  // instead of for ever
        if (!break_stat()) ::_exit(2);
        try {
            const WriterLock lock(store);
        } catch (const StoreError& error) {
            ::_exit(error.code() == ExitCode::InputOutput && std::string(error.what()).find("Input/output error") != std::string::npos ? 0
                                                                                                                                       : 1);
        }
        ::_exit(1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status)) << "it went on trying";
    if (WEXITSTATUS(status) == 2) GTEST_SKIP() << "no seccomp filters here";
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace limrisk
