// Every subcommand explains itself, and every example of its help works.
#include <fmt/format.h>

#include <sstream>

#include "program.hpp"

namespace limrisk::test {
namespace {

using testing::HasSubstr;
constexpr const char* commands[] = {"run",   "merge", "summary", "report",   "export", "replay",       "verify", "optimum", "hierarchy",
                                    "slurm", "list",  "bench",   "selftest", "doctor", "trajectories", "limits", "valleys"};

std::vector<std::string> examples_of(const std::string& help) {
    std::vector<std::string> lines;
    std::istringstream stream(help);
    bool among = false;
    for (std::string line; std::getline(stream, line);) {
        if (line.find("EXAMPLES") != std::string::npos) among = true;
        const std::size_t begin = line.find_first_not_of(' ');
        if (among && begin != std::string::npos && line.compare(begin, 8, "limrisk ") == 0) lines.push_back(line.substr(begin));
    }
    return lines;
}

TEST_F(ProgramTest, ExamplesOfEveryHelpWork) {
    write("campaign.toml", campaign_text(70, 40, "[1, 3, 8]", R"(keep = ["final"])"));
    for (const char* command : commands) {
        const Output help = succeed({command, "--help"});
        EXPECT_THAT(help.out, HasSubstr("Usage:"));
        const std::vector<std::string> examples = examples_of(help.out);
        EXPECT_FALSE(examples.empty()) << command;
        for (const std::string& example : examples) {
            const Output output = shell(example);
            EXPECT_EQ(output.code, 0) << example << "\n" << output.err;
        }
    }
}

TEST_F(ProgramTest, HelpNamesEverySubcommandAndExitCode) {
    const std::string help = succeed({"--help"}).out;
    for (const char* command : commands) EXPECT_THAT(help, HasSubstr(fmt::format("\n  {} ", command)));
    for (const char* code : {"64", "65", "69", "70", "74", "75", "130", "143"}) EXPECT_THAT(help, HasSubstr(code));
}

TEST_F(ProgramTest, VersionIsOneLineAndNamesTheBackends) {
    EXPECT_THAT(succeed({"--version"}).out, testing::MatchesRegex("limrisk [0-9]+\\.[0-9]+\\.[0-9]+ \\(backends: cpu(, cuda)?\\)\n"));
}

}  // namespace
}  // namespace limrisk::test
