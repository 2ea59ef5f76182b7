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

void write_line(const char* path, const std::string& line) { std::ofstream(path) << line << '\n' << std::flush; }

/// A mount namespace of this process's own, so that the tmpfs vanishes with it; for others than root a user namespace too, in which they
/// are root. False where that is not allowed.
bool mount_small_disk(const std::filesystem::path& where, const char* size) {
    const uid_t user = ::geteuid();
    const gid_t group = ::getegid();
    if (::unshare(user == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) != 0) return false;
    if (user != 0) {
        write_line("/proc/self/setgroups", "deny");
        write_line("/proc/self/uid_map", fmt::format("0 {} 1", user));
        write_line("/proc/self/gid_map", fmt::format("0 {} 1", group));
    }
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
    return ::mount("tmpfs", where.c_str(), "tmpfs", 0, size) == 0;
}

TEST_F(ProgramTest, AFullDiskIs74AndGoesOnWithSpace) {
    std::filesystem::create_directory(path("disk"));
    if (!mount_small_disk(path("disk"), "size=1m")) GTEST_SKIP() << "no tmpfs can be mounted here: " << std::strerror(errno);
    write("campaign.toml", campaign_text(5000, 4));
    succeed({"run", "campaign.toml", "--quiet", "--trials", "64", "--store", "disk/store.db"});
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
    EXPECT_THAT(again.err, testing::AllOf(HasSubstr("continuing: "), HasSubstr(" are already stored")));
    succeed({"run", "campaign.toml", "--quiet", "--store", "undisturbed.db"});
    EXPECT_TRUE(exported("disk/store.db") == exported("undisturbed.db"));
    ::umount(path("disk").c_str());
}

}  // namespace
}  // namespace limrisk::test
