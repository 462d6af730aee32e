//! What can be typed about family members who are called in an alarm: on the phone of the person who calls, and on theirs.

use clap::Subcommand;

/// On the phone of the person whose alarms they are.
#[derive(Subcommand)]
pub enum FamilyCommand {
    /// Show who of the family can be called, who is, and how many your organisation's ladders call
    List,
    /// Have a family member called in your alarms; asks for your PIN. They then see where you are in an alarm
    #[command(after_help = "\
Examples:
  baken alarm family list           who is in your family circle, and who agreed
  baken alarm family add Jan        Jan agreed before, on his own phone: baken alarm responder agree --name Jan
Silent alarms, and those under duress, never go to family.")]
    Add {
        /// Their name, their device's id, or enough of its start
        member: String,
    },
    /// Call a family member no more; asks for your PIN. Open check-ins are sealed anew, and it says which are not yet
    Remove {
        /// Their name, their device's id, or enough of its start
        member: String,
    },
}

/// On a family member's own phone, a guest's in the circle.
#[derive(Subcommand)]
pub enum ResponderCommand {
    /// Agree to be called in the alarms of the person whose family circle this is; asks for your PIN
    #[command(after_help = "\
Example:
  baken alarm responder agree --name Jan
From then on `baken alarm incoming follow` rings on this phone, locked or not, once they have chosen you.")]
    Agree {
        /// What they and their desks see when you acknowledge an alarm
        #[arg(long)]
        name: String,
    },
    /// Be called no more; asks for your PIN. What comes later this phone cannot open
    Stop,
    /// Show whether this phone is called, and as whom
    Show,
}

/// On a family member's own phone. None of it asks for a PIN.
#[derive(Subcommand)]
pub enum IncomingCommand {
    /// Wait for alarms, and show each as it comes and as it is answered
    Follow {
        /// End after so many seconds; otherwise Ctrl-C does
        #[arg(long, value_name = "SECONDS")]
        timeout: Option<u64>,
    },
    /// Show one alarm: who calls, where, and what others have said
    Show {
        /// The alarm's id, enough of its start, or `last`
        #[arg(default_value = "last")]
        alarm: String,
    },
    /// Say that you have seen it: the caller and all who were called see your name, and nobody else is called
    Acknowledge {
        /// The alarm's id, enough of its start, or `last`
        #[arg(default_value = "last")]
        alarm: String,
    },
    /// Send it on: whoever comes after you, a desk in the end, is called at once
    #[command(after_help = "\
Example:
  baken alarm incoming escalate last --text \"neemt niet op, ik ben er over een half uur\"")]
    Escalate {
        /// The alarm's id, enough of its start, or `last`
        #[arg(default_value = "last")]
        alarm: String,
        /// Words for who is called
        #[arg(long, default_value = "")]
        text: String,
    },
}
