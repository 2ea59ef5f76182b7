// A disk that fills up in mid-run: a clear error, nothing finished is lost, and with space again the run goes on.
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "program.hpp"

namespace limrisk::test {
namespace {

using testing::HasSubstr;

/// A mount namespace of this process's own, so that the tmpfs vanishes with it. Skips where that is not allowed.
bool mount_small_disk(const std::filesystem::path& where, const char* size) {
    const int flags = ::geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER;
    if (::unshare(flags) != 0) return false;
    ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    return ::mount("tmpfs", where.c_str(), "tmpfs", 0, size) == 0;
}

TEST_F(ProgramTest, AFullDiskIs74AndGoesOnWithSpace) {
    std::filesystem::create_directory(path("disk"));
    if (!mount_small_disk(path("disk"), "size=1m")) GTEST_SKIP() << "no tmpfs can be mounted here: " << std::strerror(errno);
    write("campaign.toml", campaign_text(5000, 4));
    {
        // Leaves room for a few blocks only.
        std::ofstream ballast(path("disk/ballast"), std::ios::binary);
        ballast << std::string(300 * 1024, 'x');
    }
    const Output full = limrisk({"run", "campaign.toml", "--store", "disk/store.db"});
    EXPECT_EQ(full.code, 74) << full.err;
    EXPECT_THAT(full.err, HasSubstr("limrisk: error: "));
    EXPECT_THAT(full.err, HasSubstr("disk/store.db"));
    EXPECT_THAT(full.err, testing::AnyOf(HasSubstr("full"), HasSubstr("space")));
    succeed({"verify", "disk/store.db"});
    ASSERT_EQ(::mount("tmpfs", path("disk").c_str(), "tmpfs", MS_REMOUNT, "size=32m"), 0) << std::strerror(errno);
    const Output again = succeed({"run", "campaign.toml", "--store", "disk/store.db"});
    EXPECT_THAT(again.err, HasSubstr("were there; going on"));
    succeed({"run", "campaign.toml", "--quiet", "--store", "undisturbed.db"});
    EXPECT_TRUE(exported("disk/store.db") == exported("undisturbed.db"));
    ::umount(path("disk").c_str());
}

}  // namespace
}  // namespace limrisk::test
