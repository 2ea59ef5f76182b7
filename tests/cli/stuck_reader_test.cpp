// Nobody reads what the program says, or nobody listens at all: the work goes on, and signals end it.
#include <signal.h>

#include "program.hpp"

namespace limrisk::test {
namespace {

class StuckReaderTest : public ProgramTest {
protected:
    void SetUp() override {
        ProgramTest::SetUp();
        make_full_pipe("full");
    }

    /// The line in sh, which becomes the program: its exit code, or -1 if it does not end.
    int code_of(const std::string& line, int signal = 0, const std::string& when_exists = "") {
        Process process(directory(), {"/bin/sh", "-c", "exec \"" LIMRISK_PROGRAM "\" " + line});
        if (signal != 0) {
            EXPECT_TRUE(eventually([&] { return std::filesystem::exists(path(when_exists)); }));
            process.send(signal);
        }
        if (!eventually([&] { return !process.running(); })) return -1;
        return process.wait().code;
    }
};

TEST_F(StuckReaderTest, RunsToItsEnd) {
    EXPECT_EQ(code_of("run campaign.toml 2> full"), 0);
    succeed({"verify", "campaign.db"});
}

TEST_F(StuckReaderTest, ErrorsEndIt) { EXPECT_EQ(code_of("run absent.toml 2> full"), 74); }

TEST_F(StuckReaderTest, SignalsEndARun) {
    write("endless.toml", campaign_text(100, 1000000000));
    EXPECT_EQ(code_of("run endless.toml 2> full", SIGTERM, "endless.db"), 143);
    EXPECT_EQ(code_of("run endless.toml 2> full", SIGHUP, "endless.db"), 129);
}

TEST_F(StuckReaderTest, SignalsEndAProgramThatWaitsForTheReaderOfItsResults) {
    Process process(directory(), {"/bin/sh", "-c", "exec \"" LIMRISK_PROGRAM "\" run campaign.toml > full"});
    ASSERT_TRUE(eventually([&] { return process.stderr_so_far().find("replica-steps/s") != std::string::npos; }));
    sleep_for(std::chrono::milliseconds(100));
    process.send(SIGTERM);
    ASSERT_TRUE(eventually([&] { return !process.running(); }));
    EXPECT_EQ(process.wait().code, 128 + SIGTERM);
}

TEST_F(StuckReaderTest, UnderNohupAHangupIsNone) {
    write("campaign.toml", campaign_text(20000, 400));
    Process process(directory(), {"/bin/sh", "-c", "trap '' HUP; exec \"" LIMRISK_PROGRAM "\" run campaign.toml"});
    ASSERT_TRUE(eventually([&] { return process.stderr_so_far().find("campaign ") != std::string::npos; }));
    process.send(SIGHUP);
    EXPECT_EQ(process.wait().code, 0);
}

TEST_F(StuckReaderTest, AClosedStdoutIsAnError) {
    // No file that is opened later may take its place and swallow the table.
    EXPECT_EQ(shell("limrisk run campaign.toml >&-").code, 74);
    EXPECT_EQ(shell("limrisk run campaign.toml 2>&-").code, 0);
    succeed({"verify", "campaign.db"});
}

}  // namespace
}  // namespace limrisk::test
