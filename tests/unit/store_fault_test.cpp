// The system fails under a store: the message says what failed, not what SQLite makes of it.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sqlite3.h>

#include <cerrno>
#include <cstdarg>

#include "store_fixture.hpp"

namespace limrisk {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::small_campaign;

int failure = 0;

extern "C" ssize_t failing_read(int, void*, size_t) {
    errno = failure;
    return -1;
}

extern "C" ssize_t failing_pread(int, void*, size_t, off_t) {
    errno = failure;
    return -1;
}

extern "C" ssize_t failing_write(int, const void*, size_t) {
    errno = failure;
    return -1;
}

extern "C" ssize_t failing_pwrite(int, const void*, size_t, off_t) {
    errno = failure;
    return -1;
}

extern "C" int failing_lock(int descriptor, int command, ...) {
    va_list arguments;
    va_start(arguments, command);
    void* const argument = va_arg(arguments, void*);
    va_end(arguments);
    if (command != F_SETLK) return ::fcntl(descriptor, command, argument);
    errno = failure;
    return -1;
}

/// While it lives, SQLite's calls of the system fail with an errno.
class FailingCalls {
public:
    FailingCalls(const std::string& kind, int error) {
        failure = error;
        if (kind == "read") {
            set("read", reinterpret_cast<sqlite3_syscall_ptr>(failing_read));
            set("pread", reinterpret_cast<sqlite3_syscall_ptr>(failing_pread));
            set("pread64", reinterpret_cast<sqlite3_syscall_ptr>(failing_pread));
        } else if (kind == "write") {
            set("write", reinterpret_cast<sqlite3_syscall_ptr>(failing_write));
            set("pwrite", reinterpret_cast<sqlite3_syscall_ptr>(failing_pwrite));
            set("pwrite64", reinterpret_cast<sqlite3_syscall_ptr>(failing_pwrite));
        } else {
            set("fcntl", reinterpret_cast<sqlite3_syscall_ptr>(failing_lock));
        }
    }
    FailingCalls(const FailingCalls&) = delete;
    FailingCalls& operator=(const FailingCalls&) = delete;
    ~FailingCalls() { vfs_->xSetSystemCall(vfs_, nullptr, nullptr); }

private:
    void set(const char* name, sqlite3_syscall_ptr call) { vfs_->xSetSystemCall(vfs_, name, call); }
    sqlite3_vfs* vfs_ = sqlite3_vfs_find("unix");
};

struct Fault {
    const char* name;
    const char* kind;
    int error;
    const char* said;
};

class StoreFaultTest : public testing::StoreTest, public ::testing::WithParamInterface<Fault> {
protected:
    static void expect_said(const std::function<void()>& act, const std::string& said) {
        try {
            act();
            ADD_FAILURE() << "no error";
        } catch (const StoreError& error) {
            EXPECT_EQ(error.code(), ExitCode::InputOutput) << error.what();
            EXPECT_THAT(error.what(), HasSubstr(said));
            EXPECT_THAT(error.what(), Not(HasSubstr("damaged; restore")));
            EXPECT_THAT(error.what(), Not(HasSubstr("another program")));
        }
    }
};

TEST_P(StoreFaultTest, IsSaidAsWhatItIs) {
    const Campaign campaign = small_campaign();
    Store store = Store::open_for_writing(path(), campaign);
    store.write_block({0, 0, 10}, testing::records_of({0, 0, 10}));
    const auto act = [&] {
        const FailingCalls calls(GetParam().kind, GetParam().error);
        if (std::string(GetParam().kind) == "write")
            store.write_block({1, 0, 10}, testing::records_of({1, 0, 10}));
        else
            Store::open(path());
    };
    expect_said(act, GetParam().said);
    if (std::string(GetParam().kind) == "write") {
        store.write_checkpoint({1, 0, 10}, 1, "old");
        const auto replace = [&] {
            const FailingCalls calls(GetParam().kind, GetParam().error);
            store.write_checkpoint({1, 0, 10}, 2, std::string(100000, 'x'));
        };
        expect_said(replace, GetParam().said);
        ASSERT_EQ(store.checkpoints().size(), 1u);
        EXPECT_EQ(store.read_checkpoint(store.checkpoints()[0]), "old") << "the one before is still there";
    }
    // It was the system's fault alone.
    store.write_block({1, 0, 10}, testing::records_of({1, 0, 10}));
    EXPECT_TRUE(store.verify().empty());
}

INSTANTIATE_TEST_SUITE_P(Faults, StoreFaultTest,
                         ::testing::Values(Fault{"EioOfARead", "read", EIO, "the disk failed"},
                                           Fault{"EioOfAWrite", "write", EIO, "the disk failed"},
                                           Fault{"Enospc", "write", ENOSPC, "the disk is full"}, Fault{"Edquot", "write", EDQUOT, "quota"},
                                           Fault{"Efbig", "write", EFBIG, "ulimit -f"}, Fault{"Enolck", "fcntl", ENOLCK, "no locks"},
                                           Fault{"Enosys", "fcntl", ENOSYS, "no locks"},
                                           Fault{"Estale", "read", ESTALE, "deleted, moved or replaced"}),
                         [](const auto& parameter) { return parameter.param.name; });

using StoreGoneTest = StoreFaultTest;

TEST_F(StoreGoneTest, ADeletedStoreIsSaidToBeDeleted) {
    Store store = Store::open_for_writing(path(), small_campaign());
    store.write_block({0, 0, 10}, testing::records_of({0, 0, 10}));
    std::filesystem::remove(path());
    expect_said([&] { store.write_block({1, 0, 10}, testing::records_of({1, 0, 10})); }, "deleted, moved or replaced");
}

}  // namespace
}  // namespace limrisk
