// What `ulimit` takes away: the size of files, and memory. An error with a message and exit code 74, never a crash; nothing stored is lost.
#include <fmt/format.h>

#include "program.hpp"

namespace limrisk::test {
namespace {

using testing::HasSubstr;

TEST_F(ProgramTest, AFileThatMayNotGrowIs74) {
    write("campaign.toml", campaign_text(5000, 4));
    const Output limited = shell("ulimit -f 600; limrisk run campaign.toml");
    EXPECT_EQ(limited.code, 74) << limited.err;
    EXPECT_THAT(limited.err, HasSubstr("campaign.db: the file may not grow further"));
    EXPECT_THAT(limited.err, HasSubstr("ulimit -f"));
    succeed({"verify", "campaign.db"});
    succeed({"run", "campaign.toml", "--quiet"});
    // Results in files, too.
    for (const char* command : {"export campaign.db --format csv --out trials.csv", "export campaign.db --format npz --out trials.npz",
                                "summary campaign.db --json > summary.json"}) {
        const Output output = shell(fmt::format("ulimit -f 2; limrisk {}", command));
        EXPECT_EQ(output.code, 74) << command << "\n" << output.err;
        EXPECT_THAT(output.err, HasSubstr("limrisk: error: "));
    }
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they reserve terabytes of addresses
TEST_F(ProgramTest, OutOfMemoryIs74) {
    write("campaign.toml", campaign_text(300, 20, "[64, 512]"));
    succeed({"run", "campaign.toml", "--quiet", "--store", "there.db"});
    const auto limited = [&](int kibibytes, const std::string& command) {
        return shell(fmt::format("ulimit -v {}; limrisk {}", kibibytes, command));
    };
    int least = 8 << 10;
    while (limited(least, "--version").code != 0) least += least / 8;
    int failures = 0;
    for (const char* command : {"--version", "list", "run campaign.toml --backend cpu --threads 2",
                                "run campaign.toml --dry-run --backend cpu", "summary there.db", "verify there.db",
                                "export there.db --format csv --out out.csv --force", "replay there.db --cell 1 --trial 7"}) {
        // From just enough to be loaded, through every place where the next piece of memory may be missing, to enough.
        int succeeded = 0;
        for (int more = 0; succeeded < 3; more += 200 + more / 6) {
            ASSERT_LT(more, 4 << 20) << command;
            std::filesystem::remove(path("campaign.db"));
            const Output output = limited(least + more, command);
            if (output.code == 0) {
                ++succeeded;
                continue;
            }
            ++failures;
            EXPECT_EQ(output.code, 74) << command << ", " << least + more << " KiB\n" << output.err;
            EXPECT_THAT(output.err, HasSubstr("limrisk: error: "));
        }
    }
    EXPECT_GT(failures, 0);
}
#endif

}  // namespace
}  // namespace limrisk::test
